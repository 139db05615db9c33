using System.Globalization;
using NasBackup.Coordination;

namespace NasBackup.Tests.Coordination;

/// <summary>Watching where a node looks at a few of the others only (promise 5).</summary>
public sealed class RingDetectorTests : IDisposable
{
    private const int Nodes = 24;
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(10);

    private readonly SleepingRuntime _runtime = new();
    private readonly TestShare _share;
    private readonly PlanFolder _folder;
    private readonly FailureDetector _detector;
    private readonly HashSet<string> _dead = new(StringComparer.Ordinal);
    private long _beat;

    public RingDetectorTests()
    {
        _share = new TestShare(_runtime);
        _folder = _share.Request();
        _detector = new FailureDetector(_folder, Timeout, new WatchRules(NameOf(0), WatchAllUpTo: 16));
    }

    public void Dispose() => _share.Dispose();

    [Fact]
    public void Above_sixteen_nodes_a_node_reads_three_others()
    {
        LookFor(Timeout * 3);

        Assert.True(_detector.IsSparse);
        Assert.Equal(WatchRing.Watchers, Enumerable.Range(1, Nodes - 1).Count(node => _detector.IsFresh(Seen(node)) && _detector.Watches(NameOf(node))));
        Assert.Equal(WatchRing.Watchers, _detector.Fresh.Count);
    }

    [Fact]
    public void When_those_it_watches_die_it_watches_the_next_and_accuses_them_after_a_series_of_its_own()
    {
        LookFor(Timeout * 2);
        string[] first = [.. _detector.Fresh.Select(seen => seen.Name)];

        // All that it watches, and the three that stand before them.
        string[] order = [.. Enumerable.Range(1, Nodes - 1).Select(NameOf).OrderBy(name => unchecked(WatchRing.PlaceOf(NameOf(0)) - WatchRing.PlaceOf(name)))];
        Assert.Equal(first.Order(), order.Take(WatchRing.Watchers).Order());
        _dead.UnionWith(order.Take(6));

        LookFor(Timeout * 1.2);
        Assert.All(order.Take(3), name => Assert.True(Find(name).IsFailed));
        Assert.All(order.Skip(3).Take(3), name => Assert.False(Find(name).IsFailed));

        LookFor(Timeout);
        Assert.All(order.Take(6), name => Assert.True(Find(name).IsFailed));
        Assert.All(order.Skip(6).Take(3), name => Assert.True(_detector.IsFresh(Find(name)) && FailureDetector.IsLiving(Find(name))));
    }

    [Fact]
    public void What_was_read_once_long_ago_accuses_nobody()
    {
        LookFor(Timeout);
        string far = Enumerable.Range(1, Nodes - 1).Select(NameOf).First(name => !_detector.Watches(name));
        _dead.Add(far);
        LookFor(Timeout * 3);

        // Whoever has to decide about it begins a series of reads of its own.
        _detector.Watch(far, Timeout / 2);
        Assert.False(_detector.StillFailed(Find(far).Record.Incarnation));
        LookFor(Timeout * 0.8);
        Assert.False(Find(far).IsFailed);
        LookFor(Timeout * 0.4);
        Assert.True(Find(far).IsFailed);
    }

    [Fact]
    public void A_series_that_was_broken_off_is_not_gone_on_with()
    {
        LookFor(Timeout);
        string far = Enumerable.Range(1, Nodes - 1).Select(NameOf).First(name => !_detector.Watches(name));
        _detector.Watch(far, Timeout / 2);
        LookFor(Timeout / 4);
        _dead.Add(far);
        _detector.Watch(far, Timeout / 2);
        LookFor(Timeout * 1.2);
        Assert.True(Find(far).IsFailed);

        // It goes on being looked at as long as it does not move; then it moves, and is looked at no more.
        _dead.Remove(far);
        LookFor(Timeout * 2);
        _dead.Add(far);
        LookFor(Timeout * 2);
        Assert.False(Find(far).IsFailed);
    }

    [Fact]
    public void Some_more_are_looked_at_when_work_is_to_be_given_away()
    {
        LookFor(Timeout);
        Assert.False(_detector.Recruit(SurvivorChoice.Most));
        LookFor(TimeSpan.FromSeconds(4));

        Assert.True(_detector.Recruit(SurvivorChoice.Most));
        Assert.InRange(_detector.Candidates.Count, SurvivorChoice.Most, SurvivorChoice.Most + WatchRing.Watchers);
    }

    [Fact]
    public void A_record_that_is_not_there_is_missed_by_looking_for_it_and_not_by_never_having_looked()
    {
        LookFor(Timeout);
        Assert.False(_detector.IsAbsent("nasX.12345678", Timeout));

        for (int i = 0; i < 3; i++)
        {
            _detector.Watch("nasX.12345678", Timeout);
            LookFor(Timeout / 2);
        }

        Assert.True(_detector.IsAbsent("nasX.12345678", Timeout));
    }

    [Fact]
    public void Where_it_is_quiet_a_node_is_looked_at_when_its_work_should_be_done_and_then_all_the_time()
    {
        var quiet = new FailureDetector(_folder, Timeout, new WatchRules(NameOf(0), WatchAllUpTo: 16, IsQuiet: true, SecondsLeft: static _ => 60));
        RecordDocument working = TestShare.RecordOf("nas1", "00000001", 1) with { Counters = [new CounterDocument("L1", 1, 1)] };
        _share.Record(_folder, working);
        Observation Look(TimeSpan duration)
        {
            for (TimeSpan looked = default; looked < duration; looked += quiet.Interval)
            {
                quiet.Look();
                _runtime.Advance(quiet.Interval);
            }

            return quiet.Find("00000001")!;
        }

        Assert.False(Look(TimeSpan.FromSeconds(55)).IsFailed);
        Assert.True(_runtime.Time.GetElapsedTime(Look(TimeSpan.Zero).Read) > TimeSpan.FromSeconds(50));

        // When it should be done it has not moved; only what is seen from then on counts.
        Assert.False(Look(TimeSpan.FromSeconds(12)).IsFailed);
        Assert.True(Look(TimeSpan.FromSeconds(6)).IsFailed);

        // Had it moved, a new estimate would have been made.
        _share.Record(_folder, working with { Beat = 2, Sequence = 2 });
        Assert.False(Look(TimeSpan.FromSeconds(50)).IsFailed);
    }

    private static string NameOf(int node) => string.Create(CultureInfo.InvariantCulture, $"nas{node}.{node:x8}");

    private Observation Seen(int node) => Find(NameOf(node));

    private Observation Find(string name) => _detector.Find(name[(name.IndexOf('.', StringComparison.Ordinal) + 1)..])
        ?? new Observation { Name = name, Record = TestShare.RecordOf("?", "?", 0), Read = long.MinValue / 2 };

    /// <summary>Looks as often as a node does, at records that are written anew before each look.</summary>
    private void LookFor(TimeSpan duration)
    {
        long looks = (long)(duration / _detector.Interval);
        for (long look = 1; look <= looks; look++)
        {
            _beat++;
            for (int node = 0; node < Nodes; node++)
            {
                if (!_dead.Contains(NameOf(node)))
                {
                    _share.Record(_folder, TestShare.RecordOf($"nas{node}", string.Create(CultureInfo.InvariantCulture, $"{node:x8}"), _beat));
                }
            }

            _detector.Look();
            _runtime.Advance(_detector.Interval);
        }
    }
}
