using System.Runtime.InteropServices;
using NasBackup.Coordination;
using NasBackup.Files;
using NasBackup.Formats;
using NasBackup.Planning;
using NasBackup.Transfer;

namespace NasBackup.Sets;

/// <summary>Gathers what the frozen journals say of the segments of split files, and says of each file what the set has of it.</summary>
internal sealed class SplitFiles
{
    private readonly SortedDictionary<int, SplitFile> _files = [];

    /// <summary>The files, in the order of their numbers.</summary>
    public IEnumerable<SplitFile> All => _files.Values;

    /// <summary>Takes up what became of one segment, or of the whole file in a second try.</summary>
    /// <param name="assignment">Whose it was.</param>
    /// <param name="item">The line of the list; it has a segment.</param>
    /// <param name="result">What the journal says of it.</param>
    /// <param name="owner">The node.</param>
    /// <exception cref="BackupException">RecordDamaged: lists do not agree.</exception>
    public void Add(AssignmentView assignment, in ListItem item, in JournalEntry result, string owner)
    {
        FileSegment segment = item.Segment!;
        if (!_files.TryGetValue(segment.File, out SplitFile? file))
        {
            _files.Add(segment.File, file = new SplitFile(segment.File, item.Entry));
        }

        file.Add(assignment, item, result, owner);
    }
}

/// <summary>Where a segment that counts lies, and what is known of it.</summary>
[StructLayout(LayoutKind.Auto)]
internal readonly record struct CommittedSegment(FileSegment Segment, FilePath Place, bool IsShared, JournalEntry Result, string Node);

/// <summary>One split file: its segments, or the copy of the whole that was made where they did not agree.</summary>
/// <param name="number">Its number among those of the plan that are split.</param>
/// <param name="entry">The file as it was scanned.</param>
internal sealed class SplitFile(int number, Entry entry)
{
    private readonly SortedDictionary<int, CommittedSegment> _segments = [];
    private ManifestEntry? _failed;

    public Entry Entry => entry;

    /// <summary>The segments that are committed, in their order.</summary>
    public IReadOnlyCollection<CommittedSegment> Segments => _segments.Values;

    /// <summary>What the set has where the file was copied whole after all, and where its owner put it; else null.</summary>
    public (ManifestEntry Entry, FilePath Place)? Whole { get; private set; }

    /// <summary>Whether nobody else could ever write to the file that the segments share: all of it was written there, and each
    /// segment by the only incarnation that might.</summary>
    public bool IsShared => _segments.Values.All(segment => segment.IsShared);

    public void Add(AssignmentView assignment, in ListItem item, in JournalEntry result, string owner)
    {
        FileSegment segment = item.Segment!;
        if (item.Entry.Path != entry.Path || item.Entry.Source != entry.Source || item.Entry.Size != entry.Size)
        {
            throw Damaged($"{assignment.Id} has '{item.Entry.Path}' as split file {number}, and another list '{entry.Path}'");
        }

        if (result.IsFailed)
        {
            _failed ??= ManifestEntry.From(item, result, owner);
        }
        else if (segment.IsWhole)
        {
            // Several lists may have asked for it. One copy is in the set: for every finaliser the same.
            Whole ??= (ManifestEntry.From(item, result, owner), SetPaths.Take(assignment.Id, result.Ordinal));
        }
        else if (!_segments.TryAdd(segment.Index, new CommittedSegment(
            segment, SetPaths.Segments(assignment.SharesFiles ? null : assignment.Id, segment.File), assignment.SharesFiles, result, owner)))
        {
            throw Damaged($"segment {segment.Index} of '{entry.Path}' is committed twice");
        }
    }

    /// <summary>What the manifest says of it once it is in its place; failed where that could not be had.</summary>
    /// <exception cref="BackupException">RecordDamaged: some of it is neither committed nor failed.</exception>
    public ManifestEntry ToManifest()
    {
        if (Whole is { } whole)
        {
            return whole.Entry;
        }

        if (_failed is { } failed)
        {
            return failed;
        }

        long end = 0;
        var hashes = new List<SegmentHash>(_segments.Count);
        foreach (CommittedSegment part in _segments.Values)
        {
            if (part.Segment.Offset != end || part.Result.Size != part.Segment.Length || part.Result.Hash is not { } hash)
            {
                break;
            }

            hashes.Add(new SegmentHash(end, part.Segment.Length, hash));
            end += part.Segment.Length;
        }

        if (end != entry.Size || hashes.Count != _segments.Count)
        {
            throw Damaged($"what became of '{entry.Path}' is known up to byte {end} of {entry.Size}");
        }

        CommittedSegment first = _segments[0];
        return new ManifestEntry
        {
            Entry = entry,
            Node = first.Node,
            Segments = hashes,
            Attributes = first.Result.Attributes,
            Recent = _segments.Values.Any(part => part.Result.Recent),
        };
    }

    private BackupException Damaged(string why) => new(
        ErrorIds.RecordDamaged, ErrorKind.InvalidData, $"The lists and journals of the plan do not agree: {why}.", entry.Path.ToString());
}
