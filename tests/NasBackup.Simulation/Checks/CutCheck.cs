using NasBackup.Coordination;
using NasBackup.Files;
using NasBackup.Planning;
using NasBackup.Simulation.Cluster;
using NasBackup.Transfer;

namespace NasBackup.Simulation.Checks;

/// <summary>Promises 1, 3 and 4 at a cut: only the owner gives, it gives exactly the tail, and of that it has made nothing.</summary>
internal sealed class CutCheck(Oracle oracle, SimulatedCluster cluster)
{
    /// <summary>A cut stands.</summary>
    /// <param name="assignment">What was cut, without this cut.</param>
    /// <param name="slot">The slot.</param>
    public void Published(AssignmentFacts assignment, SlotDocument slot)
    {
        long end = assignment.Slots.Where(earlier => earlier != slot && earlier.Kind is SlotKind.Cut).Select(earlier => earlier.CutAt!.Value).Append(assignment.Items.Count).Min();
        if (slot.Incarnation != assignment.Owner)
        {
            oracle.Break(Promise.DecidedOnce, $"{slot.Node} ({slot.Incarnation}) has cut {assignment.Id}, which {assignment.Owner} owns");
        }

        if (slot.CutAt is not { } at || at >= end)
        {
            oracle.Break(Promise.DecidedOnce, $"{assignment.Id} was cut at {slot.CutAt}, and ends at {end}");
            return;
        }

        string[] wanted = [.. assignment.Items.Skip((int)at).Take((int)(end - at)).Select(DecisionCheck.Line).Order(StringComparer.Ordinal)];
        string[] given;
        try
        {
            given = [.. slot.Successors!.SelectMany(oracle.Facts!.List).Select(DecisionCheck.Line).Order(StringComparer.Ordinal)];
        }
        catch (Exception e) when (e is BackupException or FileSystemException)
        {
            oracle.Break(Promise.DecidedOnce, $"the cut of {assignment.Id} by {slot.Node} stands on what is not on the share: {e.Message}");
            return;
        }

        if (!given.SequenceEqual(wanted))
        {
            oracle.Break(Promise.EveryEntryIsAccountedFor, $"{slot.Node} cut {wanted.Length} entries off {assignment.Id}, and gave {given.Length} away");
        }

        foreach (JournalEntry entry in oracle.Facts!.Journal(assignment.Id, frozen: null).Where(entry => entry.Ordinal >= at))
        {
            oracle.Break(Promise.BytesAsRecorded, $"{slot.Node} gave line {entry.Ordinal} of {assignment.Id} away, which stands in its journal");
        }

        for (int ordinal = (int)at; ordinal < end; ordinal++)
        {
            Entry entry = assignment.Items[ordinal].Entry;
            if (assignment.Items[ordinal].Segment is { } segment)
            {
                CheckSegment(assignment, segment, entry, slot);
            }
            else if (cluster.Scenario.Layout is DeviceLayout.Mirror && entry.Kind is not EntryKind.Directory && IsThere(assignment.IsFirst ? SetPaths.DataOf(SimulatedCluster.SourcePath).Combine(entry.Path) : SetPaths.Take(assignment.Id, ordinal)))
            {
                oracle.Break(Promise.BytesAsRecorded, $"{slot.Node} gave '{entry.Path}' of {assignment.Id} away, of which it has begun a copy");
            }
        }
    }

    /// <summary>Others may have written to the file that is shared, but nobody to that part of it.</summary>
    private void CheckSegment(AssignmentFacts assignment, FileSegment segment, Entry entry, SlotDocument slot)
    {
        if (DurabilityCheck.TryFind(cluster.Device, FilePath.FromText(oracle.Facts!.PlanId).Combine(SetPaths.Segments(assignment.SharesFiles ? null : assignment.Id, segment.File))) is { } inode
            && inode.Data.Length > segment.Offset
            && inode.Data[(int)segment.Offset..(int)Math.Min(inode.Data.Length, segment.Offset + segment.Length)].ContainsAnyExcept((byte)0))
        {
            oracle.Break(Promise.BytesAsRecorded, $"{slot.Node} gave segment {segment.Index} of '{entry.Path}' of {assignment.Id} away, of which it has begun a copy");
        }
    }

    private bool IsThere(FilePath belowSet)
    {
        return DurabilityCheck.TryFind(cluster.Device, FilePath.FromText(oracle.Facts!.PlanId).Combine(belowSet)) is not null;
    }
}
