using NasBackup.Coordination;
using NasBackup.Files;

namespace NasBackup.Sets;

/// <summary>
/// Brings what owners have written into the state that the frozen journals decided, in one layout or the other. All of it may
/// be done again, by several nodes at once, and by one that slept: what is decided is the same for all of them.
/// </summary>
internal interface ISetPlacement
{
    /// <summary>In the Archive layout the volumes of the set, once it is finished; else null.</summary>
    IReadOnlyList<VolumeDocument>? Volumes { get; }

    /// <summary>Brings an entry into its place, or takes note of it.</summary>
    /// <param name="assignment">The assignment whose journal decides.</param>
    /// <param name="ordinal">The entry's line in its list.</param>
    /// <param name="entry">What list and journal say.</param>
    /// <returns>What the manifest says: that it failed, where something on the device stands in the way.</returns>
    /// <exception cref="BackupException">RecordDamaged: what was committed is not there.</exception>
    /// <exception cref="FileSystemException">The device does not do it.</exception>
    ManifestEntry Place(AssignmentView assignment, long ordinal, in ManifestEntry entry);

    /// <summary>Brings a file that was split into its place, when all assignments have passed.</summary>
    /// <param name="file">What is known of it.</param>
    /// <param name="step">Called for every piece that is copied.</param>
    /// <returns>What the manifest says.</returns>
    /// <exception cref="BackupException">RecordDamaged: what was committed is not there, or not all of it was decided.</exception>
    /// <exception cref="FileSystemException">The device does not do it.</exception>
    ManifestEntry Place(SplitFile file, Action step);

    /// <summary>Whether what was said of entries stands; else all entries have to pass once more.</summary>
    bool IsSettled();

    /// <summary>Does what comes when all entries have passed, and makes all of it durable.</summary>
    /// <param name="done">Called after each folder with what of it could not be kept.</param>
    /// <param name="cancellation">Ends it between two steps.</param>
    /// <inheritdoc cref="Place(AssignmentView, long, in ManifestEntry)" path="/exception"/>
    void Finish(Action<MetadataLoss> done, CancellationToken cancellation);
}
