using NasBackup.Files;
using NasBackup.Formats;
using NasBackup.Planning;

namespace NasBackup.Transfer;

/// <summary>Reads files whose times are not trusted, and compares them with what the base has of them. May be called from many
/// threads.</summary>
internal sealed class BaseCheck(SourceSet sources, Recency recency, RateLimiter limiter, ITransferControl control)
{
    /// <summary>Whether the source is what the base's manifest says, and what the list says, by reading it.</summary>
    /// <param name="entry">The entry.</param>
    /// <param name="known">What the base has of it.</param>
    /// <param name="recent">Whether it had only just changed when it was read.</param>
    /// <exception cref="FileSystemException">The source cannot be read.</exception>
    public bool IsStillTheSame(Entry entry, BaseCopy known, out bool recent)
    {
        using IFileHandle source = sources.Tree(entry.Source).OpenRead(entry.Path);
        FileStatus before = source.GetStatus();
        recent = recency.IsRecent(before, entry.Status, sources.Tree(entry.Source));
        if (before.Size != entry.Size || before.Metadata != entry.Status.Metadata)
        {
            return false;
        }

        (ContentHash hash, long size) = ContentHash.OfFile(source, read =>
        {
            if (read == 0)
            {
                control.Passed();
            }
            else
            {
                control.Moved(read, limiter.Pay(read));
            }
        }, known.Segments);
        ExtendedAttributes attributes = source.GetAttributes();
        return hash.WhyNot(known.Hash) is null && size == entry.Size && attributes.IsSameAs(known.Attributes ?? ExtendedAttributes.None) && source.GetStatus() == before;
    }
}
