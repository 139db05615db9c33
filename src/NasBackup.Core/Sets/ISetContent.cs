using NasBackup.Files;
using NasBackup.Transfer;

namespace NasBackup.Sets;

/// <summary>Where the entries of a complete set lie, in whichever layout: what verifies, restores and finds asks here. May be
/// called from many threads.</summary>
internal interface ISetContent : IDisposable
{
    /// <summary>The folder in the set's folder that holds the entries, for whoever looks for what does not belong there.</summary>
    FilePath Root { get; }

    /// <summary>Where one lies below the set's folder, for people.</summary>
    /// <param name="entry">What the manifest says.</param>
    /// <param name="name">One of its names.</param>
    /// <exception cref="BackupException">EntryPathUnsafe.</exception>
    FilePath Locate(in ManifestEntry entry, FilePath name);

    /// <summary>The status of what lies there; the same inode for all names of one file.</summary>
    /// <inheritdoc cref="Locate" path="/param"/>
    /// <exception cref="FileSystemException">NotFound: it is not there. Other problems: it cannot be read, or is damaged.</exception>
    /// <exception cref="BackupException">EntryPathUnsafe.</exception>
    FileStatus GetStatus(in ManifestEntry entry, FilePath name);

    /// <summary>A file, to read from.</summary>
    /// <inheritdoc cref="GetStatus"/>
    IFileHandle OpenRead(in ManifestEntry entry, FilePath name);

    /// <summary>What a link points to.</summary>
    /// <inheritdoc cref="GetStatus"/>
    byte[] ReadLink(in ManifestEntry entry, FilePath name);
}

/// <summary>The Mirror layout: a plain tree.</summary>
internal sealed class TreeContent(OpenSet set) : ISetContent
{
    /// <inheritdoc/>
    public FilePath Root => SetPaths.DataRoot;

    /// <inheritdoc/>
    public FilePath Locate(in ManifestEntry entry, FilePath name) => set.DataOf(entry.Entry.Source, name);

    /// <inheritdoc/>
    public FileStatus GetStatus(in ManifestEntry entry, FilePath name) => set.Tree.GetStatus(Locate(entry, name));

    /// <inheritdoc/>
    public IFileHandle OpenRead(in ManifestEntry entry, FilePath name) => set.Tree.OpenRead(Locate(entry, name));

    /// <inheritdoc/>
    public byte[] ReadLink(in ManifestEntry entry, FilePath name) => set.Tree.ReadLink(Locate(entry, name));

    public void Dispose()
    {
    }
}
