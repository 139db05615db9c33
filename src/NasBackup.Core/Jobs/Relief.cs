using NasBackup.Coordination;
using NasBackup.Files;
using NasBackup.Formats;
using NasBackup.Planning;

namespace NasBackup.Jobs;

/// <summary>
/// Moves work from slow nodes to idle ones: a node that has nothing to do asks, in its record, the peer that will need longest;
/// that one gives the tail of its list away. Who asks whom is an optimisation and may fail in any way; what is given is
/// decided by the slot.
/// </summary>
/// <param name="folder">The plan.</param>
/// <param name="view">Its assignments.</param>
/// <param name="me">This node.</param>
/// <param name="failureTimeout">The plan's failure timeout.</param>
/// <param name="detector">What this node sees of the others.</param>
/// <param name="heart">This node's record.</param>
/// <param name="costOf">What work costs a node, as the plan counts it.</param>
/// <param name="isWell">Whether this node sees source and device, so that it can take work.</param>
/// <param name="verbose">Told what is decided, and why.</param>
internal sealed class Relief(
    PlanFolder folder,
    ClusterView view,
    Identity me,
    TimeSpan failureTimeout,
    FailureDetector detector,
    NodeHeart heart,
    Func<string, NodeCost> costOf,
    Func<bool> isWell,
    Action<string> verbose)
{
    /// <summary>Who needs no longer than that is not asked: by the time the work has changed hands it would be done.</summary>
    private const double LeastSecondsLeft = 1.5;

    /// <summary>What is worth less than that is not cut.</summary>
    private const double LeastSecondsGiven = 0.5;

    private static readonly TimeSpan LeastPatience = TimeSpan.FromSeconds(3);

    private readonly TimeProvider _time = folder.Share.Runtime.Time;
    private readonly AssignmentCutter _cutter = new(folder, view, me, heart.Meter.AddStep);
    private readonly Dictionary<string, ListReach> _reaches = new(StringComparer.Ordinal);
    private readonly Dictionary<string, long> _answered = new(StringComparer.Ordinal);
    private readonly Lock _gate = new();
    private BegunCut? _begun;
    private long _asks;
    private long? _askedAt;
    private string? _lastAsked;

    /// <summary>How far the workers are in a list of this node's.</summary>
    public ListReach ReachOf(string assignment)
    {
        lock (_gate)
        {
            return _reaches.TryGetValue(assignment, out ListReach? reach) ? reach : _reaches[assignment] = new ListReach();
        }
    }

    /// <summary>Asks for work, where that is due. For the thread that would work.</summary>
    public void Ask()
    {
        if (_askedAt is { } asked && _time.GetElapsedTime(asked) < (failureTimeout / 2 > LeastPatience ? failureTimeout / 2 : LeastPatience))
        {
            return;
        }

        _askedAt = _time.GetTimestamp();
        var loads = detector.All
            .Where(seen => FailureDetector.IsLiving(seen) && seen is { SeenMoving: true, Record: { TakesWork: true, State: NodeState.Working } } && seen.Record.Incarnation != me.Incarnation)
            .Select(seen => (seen.Record, Seconds: SecondsLeft(seen.Record)))
            .Where(load => load.Seconds >= LeastSecondsLeft)
            .OrderBy(load => load.Record.Incarnation == _lastAsked)
            .ThenByDescending(load => load.Seconds)
            .ToList();
        if (loads.Count == 0 || !isWell())
        {
            heart.Asks = null;
            return;
        }

        (RecordDocument slowest, double seconds) = loads[0];
        verbose($"Asks {slowest.Node} for work: it has some {seconds:F0} s left (pace {slowest.Pace ?? 1:F2}).");
        _lastAsked = slowest.Incarnation;
        heart.Asks = new AskDocument(slowest.Incarnation, ++_asks);
        heart.TryCheckpoint();
    }

    /// <summary>Forgets what was asked: there is work.</summary>
    public void Forget() => (_askedAt, _lastAsked) = (null, null);

    /// <summary>Gives work to those that ask for it. For the thread that watches.</summary>
    /// <exception cref="FileSystemException">The share does not do it; what was begun is gone on with next time.</exception>
    /// <exception cref="BackupException">RecordDamaged, as above.</exception>
    public void Grant()
    {
        _begun ??= Begin();
        if (_begun is not { } cut)
        {
            return;
        }

        (bool stands, int number) = _cutter.Publish(cut, ReachOf(cut.Assignment.Id));
        _begun = null;
        if (stands)
        {
            IReadOnlyList<AssignmentDocument> given = cut.Slot.Successors!;
            verbose($"Gave {given.Sum(successor => successor.Entries)} entries of {cut.Assignment.Id}, {given.Sum(successor => successor.Bytes)} bytes, to {string.Join(", ", given.Select(successor => successor.Node))}.");
            heart.Publish(new SlotChainNews(cut.Assignment.Id, number));
        }
    }

    private BegunCut? Begin()
    {
        Observation[] asking = [.. detector.All.Where(IsAsking)];
        AssignmentView[] own = asking.Length == 0 ? [] : [.. view.Open.Where(assignment => assignment.Owner == me.Incarnation)];
        if (own.Length == 0 || heart.State is not NodeState.Working)
        {
            return null;
        }

        NodeCost mine = costOf(me.Node).At(heart.Pace);
        long bytes = Math.Max(0, own.Total(assignment => heart.CounterOf(assignment).BytesLeft) - heart.BytesInFlight);
        long entries = own.Total(assignment => heart.CounterOf(assignment).EntriesLeft);
        double left = mine.Of(bytes, entries);
        if (left < LeastSecondsLeft)
        {
            return null;
        }

        Survivor[] takers = [.. asking.Select(seen => new Survivor(seen.Record.Node, seen.Record.Incarnation, costOf(seen.Record.Node).At(seen.Record.Pace)))];
        double others = takers.Sum(taker => left / Math.Max(taker.Cost.Of(bytes, entries), double.Epsilon));
        double share = left * others / (1 + others);
        foreach (AssignmentView assignment in own.Reverse())
        {
            // One whose last entry is in hand has nothing to give; its list need not be read for that.
            if (ReachOf(assignment.Id).HandedOut < assignment.Entries
                && _cutter.Begin(assignment, ReachOf(assignment.Id), mine, share, LeastSecondsGiven, takers) is { } cut)
            {
                Answered(asking);
                return cut;
            }
        }

        Answered(asking);
        return null;
    }

    private void Answered(IEnumerable<Observation> asking)
    {
        foreach (Observation seen in asking)
        {
            _answered[seen.Record.Incarnation] = seen.Record.Asks!.Number;
        }
    }

    private bool IsAsking(Observation seen)
        => seen is { SeenMoving: true, Record: { TakesWork: true, State: NodeState.Idle, Counters.Count: 0, Asks: { } asks } }
        && asks.Incarnation == me.Incarnation
        && FailureDetector.IsLiving(seen)
        && _answered.GetValueOrDefault(seen.Record.Incarnation) < asks.Number;

    private double SecondsLeft(RecordDocument record)
    {
        (long bytes, long entries) = (record.Counters.Total(counter => counter.BytesLeft), record.Counters.Total(counter => counter.EntriesLeft));
        return costOf(record.Node).At(record.Pace).Of(bytes, entries);
    }
}
