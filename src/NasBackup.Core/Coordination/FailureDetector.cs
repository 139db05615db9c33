using NasBackup.Files;

namespace NasBackup.Coordination;

/// <summary>What one process has seen of one incarnation.</summary>
internal sealed class Observation
{
    public required RecordDocument Record { get; set; }

    /// <summary>When it last showed progress, or the watching began anew (the runtime's timestamp).</summary>
    public long Since { get; set; }

    /// <summary>When its record was last read.</summary>
    public long Read { get; set; }

    /// <summary>When its record last changed at all.</summary>
    public long Moved { get; set; }

    /// <summary>Whether it changed while it was watched.</summary>
    public bool SeenMoving { get; set; }

    /// <summary>Whether it is held for failed: an unbroken series of fresh reads that spans the timeout and shows no progress.</summary>
    public bool IsFailed { get; set; }

    public bool HasLeft => Record.State is NodeState.Left;

    /// <summary>What was not seen proves nothing: the series of reads begins anew.</summary>
    public void StartAgain(long now) => (Since, IsFailed) = (now, false);
}

/// <summary>
/// Watches the records of a plan (F12). Only differences of this process's own clock are used (promise 5). A read that
/// fails, or a gap in one's own watching, starts the time again: what was not seen proves nothing.
/// </summary>
internal sealed class FailureDetector(PlanFolder folder, TimeSpan failureTimeout)
{
    /// <summary>How long a network file system may hide a new file.</summary>
    public static readonly TimeSpan VisibilityDelay = TimeSpan.FromSeconds(60);

    private readonly Dictionary<string, Observation> _seen = new(StringComparer.Ordinal);
    private readonly TimeProvider _time = folder.Share.Runtime.Time;
    private readonly Lock _gate = new();
    private long? _lastLook;

    /// <summary>When the present unbroken series of looks at the folder of records began.</summary>
    public long WatchingSince { get; private set; }

    /// <summary>How often to look, so that a gap of a quarter of the timeout is never one's own habit.</summary>
    public TimeSpan Interval { get; } = TimeSpan.FromSeconds(Math.Clamp(failureTimeout.TotalSeconds / 10, 0.05, 1));

    /// <summary>All incarnations that have a record.</summary>
    public IReadOnlyList<Observation> All
    {
        get
        {
            lock (_gate)
            {
                return [.. _seen.Values];
            }
        }
    }

    /// <summary>Reads all records once.</summary>
    /// <returns>False where the share could not be read; nobody is accused then.</returns>
    public bool Look()
    {
        long now = _time.GetTimestamp();
        bool isGap = _lastLook is not { } last || _time.GetElapsedTime(last, now) > failureTimeout / 4;
        _lastLook = now;
        if (isGap)
        {
            StartAgain(now);
        }

        IReadOnlyList<string> names;
        try
        {
            names = folder.Share.ListNames(folder.Records);
        }
        catch (FileSystemException)
        {
            StartAgain(now);
            return false;
        }

        foreach (string name in names)
        {
            Look(name);
        }

        return true;
    }

    /// <summary>The newest observation of a node's name that has not failed or left, or null.</summary>
    public Observation? FindLiving(string node)
        => All.FirstOrDefault(seen => IsLiving(seen) && seen.Record.Node.Equals(node, StringComparison.OrdinalIgnoreCase));

    public Observation? Find(string incarnation)
    {
        lock (_gate)
        {
            return _seen.Values.FirstOrDefault(seen => seen.Record.Incarnation == incarnation);
        }
    }

    /// <summary>Reads one record again, right before something is decided because of it: closing takes its time, and a node
    /// that was silent may have moved meanwhile.</summary>
    /// <returns>Whether it is still held for failed, or has left.</returns>
    public bool StillFailed(string incarnation)
    {
        string? name;
        lock (_gate)
        {
            name = _seen.FirstOrDefault(pair => pair.Value.Record.Incarnation == incarnation).Key;
        }

        if (name is null)
        {
            return false;
        }

        Look(name);
        return Find(incarnation) is { } seen && !IsLiving(seen);
    }

    /// <summary>Whether the incarnation that claimed the last slot of a chain has failed or left. One whose record cannot be
    /// seen may have begun just now, and a network file system may hide its record for a while.</summary>
    public bool HasFailed(SlotChain chain)
    {
        string claimer = chain.Last!.Incarnation;
        return Find(claimer) is { } seen
            ? !IsLiving(seen) && StillFailed(claimer)
            : _time.GetElapsedTime(Math.Max(chain.LastReadAt, WatchingSince)) > failureTimeout + VisibilityDelay;
    }

    public static bool IsLiving(Observation seen) => !seen.IsFailed && !seen.HasLeft;

    /// <summary>How long an incarnation has been watched without progress.</summary>
    public TimeSpan Silence(Observation seen) => _time.GetElapsedTime(seen.Since);

    private void Look(string name)
    {
        // What was read was so at some moment between the two: silence counts from the later one of the first read to the
        // earlier one of the last, or a slow share would make it longer than it was.
        long before = _time.GetTimestamp();
        RecordDocument? record;
        try
        {
            record = RecordFile.Read(folder.Share.Tree, folder.Records.Combine(name), folder.Share.Sealer);
        }
        catch (FileSystemException)
        {
            record = null;
        }

        long now = _time.GetTimestamp();
        lock (_gate)
        {
            Observation? seen = _seen.GetValueOrDefault(name);
            if (record is null)
            {
                seen?.StartAgain(now);
                return;
            }

            if (seen is null)
            {
                _seen.Add(name, new Observation { Record = record, Since = now, Moved = now, Read = now });
                return;
            }

            bool beats = record.Beat != seen.Record.Beat;
            bool progresses = record.Sequence != seen.Record.Sequence
                || record.State != seen.Record.State
                || (record.Pulse != seen.Record.Pulse && record.MayWait);
            bool isGap = _time.GetElapsedTime(seen.Read, before) > failureTimeout / 4;
            seen.Record = record;
            seen.Read = now;
            if (beats)
            {
                seen.Moved = now;
                seen.SeenMoving = true;
            }

            if (progresses)
            {
                seen.Since = now;
                seen.IsFailed = false;
            }
            else if (isGap)
            {
                seen.StartAgain(now);
            }
            else if (_time.GetElapsedTime(seen.Since, before) >= failureTimeout)
            {
                seen.IsFailed = true;
            }
        }
    }

    private void StartAgain(long now)
    {
        WatchingSince = now;
        lock (_gate)
        {
            foreach (Observation seen in _seen.Values)
            {
                seen.StartAgain(now);
            }
        }
    }
}
