using NasBackup.Coordination;
using NasBackup.Files;
using NasBackup.Formats;
using NasBackup.Planning;

namespace NasBackup.Transfer;

/// <summary>
/// Copies segments of large files beside the tree; finalising brings a file into place when all of it is there. All segments
/// must be of the file as it was scanned: one that finds another fails, and the file is copied whole in a second try. May be
/// called from many threads.
/// </summary>
internal sealed class SegmentWriter(
    SourceSet sources, SetFolder set, NewNames names, ContentCopier copier, Recency recency, ITransferControl control)
{
    private readonly bool _syncEach = !set.Tree.SyncsAsOne;

    /// <summary>Copies a segment to its place in the file that <see cref="EntryCopy.Path"/> names, made where there is none: other
    /// nodes may write their segments to it at the same time.</summary>
    /// <exception cref="FileSystemException">Source or target; <see cref="EntryCopy.AtDevice"/> tells which.</exception>
    public JournalEntry Write(EntryCopy copy, FileSegment segment)
    {
        Entry entry = copy.Entry;
        copy.AtDevice = false;
        IFileTree tree = sources.Tree(entry.Source);
        using IFileHandle source = tree.OpenRead(entry.Path);
        FileStatus before = source.GetStatus();
        if (!sources.IsAsScanned(entry, before))
        {
            return Changed(copy);
        }

        copy.AtDevice = true;
        copy.Target ??= names.Create(copy.Path, set.Tree, static (path, device) => device.OpenReadWrite(path));
        long end = segment.Offset + segment.Length;
        (Hash128 hash, long reached) = copier.CopyPart(copy, source, segment.Offset, end, endsFile: end == entry.Size);

        copy.AtDevice = false;
        // One of them speaks for all: whoever changes an attribute changes a time too.
        ExtendedAttributes attributes = segment.Index == 0 ? source.GetAttributes() : ExtendedAttributes.None;
        FileStatus after = source.GetStatus();
        if (reached != end || after.ChangeTime != before.ChangeTime || !sources.IsAsScanned(entry, after))
        {
            return Changed(copy);
        }

        copy.AtDevice = true;
        if (_syncEach && control.IsStrict)
        {
            copy.Target.Sync();
        }

        copy.Target.Close();
        return new JournalEntry
        {
            Ordinal = copy.Work.Ordinal,
            Size = segment.Length,
            Hash = hash,
            Status = before == entry.Status ? null : before,
            Attributes = ReferenceEquals(attributes, ExtendedAttributes.None) ? null : attributes,
            Recent = recency.IsRecent(before, entry.Status, tree),
        };
    }

    private JournalEntry Changed(EntryCopy copy) => new()
    {
        Ordinal = copy.Work.Ordinal,
        ErrorId = ErrorIds.FileChanged,
        Problem = $"'{sources.OwnPath(copy.Entry.Source)}/{copy.Entry.Path}' has changed since it was scanned, so its segments do not belong together",
    };
}
