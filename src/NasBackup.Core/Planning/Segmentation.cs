using NasBackup.Files;

namespace NasBackup.Planning;

/// <summary>
/// Splits large files into segments, so that several nodes can copy one, and a node that fails loses no more than a segment of it.
/// What is split, and where, is decided once, for the plan: all its owners agree.
/// </summary>
internal static class Segmentation
{
    /// <summary>Segments are no smaller than this unless the plan says otherwise.</summary>
    public const long DefaultBytes = 256L * 1024 * 1024;

    /// <summary>A file that takes the fastest node more than this part of the ideal makespan could decide the end.</summary>
    private const double ShareThatMatters = 1.0 / 8;

    /// <summary>A file of so many segments is split in any case: a node that fails would lose much.</summary>
    private const int SegmentsThatMatter = 16;

    /// <summary>Puts the segments of each file that is worth it in the place of the file; what the base has is not split.</summary>
    /// <param name="items">What was scanned.</param>
    /// <param name="nodes">For whom it is planned.</param>
    /// <param name="segmentBytes">The size of a segment, in bytes; longer ones for a file that would have more than
    /// <see cref="FileSegment.Most"/>; 0: nothing is split.</param>
    public static IReadOnlyList<ListItem> Split(IReadOnlyList<ListItem> items, IReadOnlyList<NodeCost> nodes, long segmentBytes)
    {
        if (segmentBytes <= 0 || !items.Any(MayBeSplit))
        {
            return items;
        }

        double makespan = Balanced.EstimateMakespan(items, nodes);
        double matters = nodes.Count == 1 ? double.PositiveInfinity : makespan * ShareThatMatters;
        var split = new List<ListItem>(items.Count);
        int files = 0;
        foreach (ListItem item in items)
        {
            if (MayBeSplit(item) && (item.Entry.Size / segmentBytes >= SegmentsThatMatter || nodes.Min(node => node.Of(item.Entry.Size, 1)) > matters))
            {
                split.AddRange(Segments(files++, item.Entry.Size, segmentBytes).Select(segment => item with { Segment = segment }));
            }
            else
            {
                split.Add(item);
            }
        }

        return split;

        bool MayBeSplit(ListItem item) => item.Entry.Kind is EntryKind.File && item.Base is null && item.Entry.Size / 2 >= segmentBytes;
    }

    /// <summary>What is left when some segments of a file found that it had changed: it is copied whole, once, and no more of it in
    /// segments.</summary>
    /// <param name="items">What one assignment leaves; segments that stand for the whole file among them.</param>
    public static List<ListItem> WithoutSuperseded(List<ListItem> items)
    {
        HashSet<int> whole = [.. items.Where(item => item.Segment is { IsWhole: true }).Select(item => item.Segment!.File)];
        if (whole.Count == 0)
        {
            return items;
        }

        var seen = new HashSet<int>();
        return [.. items.Where(item => item.Segment is not { } segment || !whole.Contains(segment.File) || (segment.IsWhole && seen.Add(segment.File)))];
    }

    /// <summary>Segments of one length, a multiple of what is given; the last has what is left, up to half as much again.</summary>
    private static IEnumerable<FileSegment> Segments(int file, long size, long segmentBytes)
    {
        long length = segmentBytes * Math.Max(1, (long)Math.Ceiling((double)size / segmentBytes / FileSegment.Most));
        int count = (int)Math.Min(FileSegment.Most, (size + (length / 2)) / length);
        for (int i = 0; i < count; i++)
        {
            long offset = i * length;
            yield return new FileSegment(file, i, count, offset, i == count - 1 ? size - offset : length);
        }
    }
}
