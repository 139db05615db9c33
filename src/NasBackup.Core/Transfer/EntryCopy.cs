using NasBackup.Files;

namespace NasBackup.Transfer;

/// <summary>One entry while it is copied, and what a try leaves behind for the next one: the descriptor, since the name can be created only once.</summary>
/// <param name="work">What to copy.</param>
/// <param name="path">Where this owner puts it, below the set's folder.</param>
internal sealed class EntryCopy(WorkItem work, FilePath path) : IDisposable
{
    public WorkItem Work => work;

    public Entry Entry => work.Item.Entry;

    public FilePath Path => path;

    public IFileHandle? Target { get; set; }

    public bool Written { get; set; }

    /// <summary>Whether what is being done right now is done to the device, or to the source.</summary>
    public bool AtDevice { get; set; }

    public void Dispose() => Target?.Dispose();
}
