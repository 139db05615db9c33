using NasBackup.Files;

namespace NasBackup.Coordination;

/// <summary>What one process has seen of one incarnation.</summary>
internal sealed class Observation
{
    public required RecordDocument Record { get; set; }

    /// <summary>When it last showed progress, or the watching began anew (the runtime's timestamp).</summary>
    public long Since { get; set; }

    /// <summary>When its record last changed at all.</summary>
    public long Moved { get; set; }

    /// <summary>Whether it changed while it was watched.</summary>
    public bool SeenMoving { get; set; }

    /// <summary>Whether it is held for failed: an unbroken series of fresh reads that spans the timeout and shows no progress.</summary>
    public bool IsFailed { get; set; }

    public bool HasLeft => Record.State is NodeState.Left;
}

/// <summary>
/// Watches the records of a plan (F12). Only differences of this process's own clock are used (promise 5). A read that
/// fails, or a gap in one's own watching, starts the time again: what was not seen proves nothing.
/// </summary>
internal sealed class FailureDetector(PlanFolder folder, TimeSpan failureTimeout)
{
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
            Look(name, now);
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

    public static bool IsLiving(Observation seen) => !seen.IsFailed && !seen.HasLeft;

    /// <summary>How long an incarnation has been watched without progress.</summary>
    public TimeSpan Silence(Observation seen) => _time.GetElapsedTime(seen.Since);

    private void Look(string name, long now)
    {
        RecordDocument? record;
        try
        {
            record = RecordFile.Read(folder.Share.Tree, folder.Records.Combine(name));
        }
        catch (FileSystemException)
        {
            record = null;
        }

        lock (_gate)
        {
            Observation? seen = _seen.GetValueOrDefault(name);
            if (record is null)
            {
                if (seen is not null)
                {
                    seen.Since = now;
                }

                return;
            }

            if (seen is null)
            {
                _seen.Add(name, new Observation { Record = record, Since = now, Moved = now });
                return;
            }

            bool beats = record.Beat != seen.Record.Beat;
            bool progresses = record.Sequence != seen.Record.Sequence
                || record.State != seen.Record.State
                || (record.Pulse != seen.Record.Pulse && record.MayWait);
            seen.Record = record;
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
            else if (_time.GetElapsedTime(seen.Since, now) >= failureTimeout)
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
                seen.Since = now;
            }
        }
    }
}
