using NasBackup.Coordination;

namespace NasBackup.Tests.Coordination;

/// <summary>Who is held for failed, and who is not (promises 5 and 7).</summary>
public sealed class FailureDetectorTests : IDisposable
{
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(10);

    private readonly SleepingRuntime _runtime = new();
    private readonly TestShare _share;
    private readonly PlanFolder _folder;
    private readonly FailureDetector _detector;

    public FailureDetectorTests()
    {
        _share = new TestShare(_runtime);
        _folder = _share.Request();
        _detector = new FailureDetector(_folder, Timeout);
    }

    public void Dispose() => _share.Dispose();

    [Theory]
    [InlineData(nameof(NodeState.Idle))]
    [InlineData(nameof(NodeState.Scanning))]
    [InlineData(nameof(NodeState.Finalising))]
    [InlineData(nameof(NodeState.WaitingForFailover))]
    public void A_process_that_hangs_is_held_for_failed_although_its_heart_beats(string state)
    {
        LookFor(Timeout * 1.2, beat => Record(beat) with { State = Enum.Parse<NodeState>(state), Pulse = 1, Sequence = 1 });

        Assert.True(Seen.IsFailed);
    }

    [Theory]
    [InlineData(nameof(NodeState.Idle))]
    [InlineData(nameof(NodeState.Queued))]
    [InlineData(nameof(NodeState.WaitingForFailover))]
    public void One_that_rightly_waits_is_not(string state)
    {
        LookFor(Timeout * 3, beat => Record(beat) with { State = Enum.Parse<NodeState>(state), Sequence = 1 });

        Assert.False(Seen.IsFailed);
    }

    [Fact]
    public void One_that_works_must_move_something()
    {
        LookFor(Timeout * 1.2, beat => Record(beat) with { Sequence = 1 });
        Assert.True(Seen.IsFailed);

        LookFor(TimeSpan.FromSeconds(1), beat => Record(beat) with { Sequence = 2 });
        Assert.False(Seen.IsFailed);
    }

    [Fact]
    public void A_gap_in_the_watching_proves_nothing()
    {
        LookFor(Timeout * 0.8, beat => Record(1));
        _runtime.Advance(Timeout);
        LookFor(Timeout * 0.8, beat => Record(1));
        Assert.False(Seen.IsFailed);

        LookFor(Timeout * 0.4, beat => Record(1));
        Assert.True(Seen.IsFailed);
    }

    [Fact]
    public void A_record_that_cannot_be_read_for_a_moment_starts_the_time_again()
    {
        LookFor(Timeout * 0.8, beat => Record(1));
        _share.Truncate(_folder.Record("nasA", "1"), 0);
        _detector.Look();
        LookFor(Timeout * 0.8, beat => Record(1));

        Assert.False(Seen.IsFailed);
    }

    private Observation Seen => _detector.Find("1")!;

    private static RecordDocument Record(long beat) => TestShare.RecordOf("nasA", "1", beat);

    /// <summary>Looks as often as a node does, at a record that is written anew before each look.</summary>
    private void LookFor(TimeSpan duration, Func<long, RecordDocument> record)
    {
        long looks = (long)(duration / _detector.Interval);
        for (long look = 1; look <= looks; look++)
        {
            _share.Record(_folder, record(look));
            _detector.Look();
            _runtime.Advance(_detector.Interval);
        }

        _detector.Look();
    }
}
