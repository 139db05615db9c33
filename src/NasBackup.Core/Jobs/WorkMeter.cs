using NasBackup.Coordination;

namespace NasBackup.Jobs;

/// <summary>
/// What a node's work comes to: bytes moved, steps done, seconds with work; what the cost model of the next plan learns from
/// it; and the pulse, which tells that the node still goes round where it rightly waits (promise 7). May be used by several
/// threads.
/// </summary>
internal sealed class WorkMeter(INodeRuntime runtime)
{
    /// <summary>How many seconds of work say how fast a node is lately.</summary>
    private const double RecentSeconds = 10;

    private readonly Queue<(double Seconds, long Bytes, long Entries)> _recent = new();
    private long _bytesMoved;
    private long _steps;
    private long _pulse;
    private long _lastCount;
    private double _seconds;
    private long? _began;
    private (long Time, long Bytes, long Entries) _sampled;
    private (double Seconds, long Bytes, long Entries) _lastSample;

    /// <summary>Bytes moved so far, committed or not.</summary>
    public long BytesMoved => Interlocked.Read(ref _bytesMoved);

    /// <summary>Steps of work that are not bytes: entries done, entries found by a scan, lines merged.</summary>
    public long Steps => Interlocked.Read(ref _steps);

    /// <summary>Rounds of waiting and looking. It stands still in a process that hangs, however well its heart beats.</summary>
    public long Pulse => Interlocked.Read(ref _pulse);

    /// <summary>What the cost model of the next plan learns from.</summary>
    public CostFit Fit { get; } = new();

    /// <summary>Seconds in which there was work.</summary>
    public double Seconds => _seconds + (_began is { } began ? runtime.Time.GetElapsedTime(began).TotalSeconds : 0);

    public void Begin() => _began = runtime.Time.GetTimestamp();

    public void End()
    {
        _seconds = Seconds;
        _began = null;
    }

    public void AddBytes(int bytes) => Interlocked.Add(ref _bytesMoved, bytes);

    public void AddStep() => Interlocked.Increment(ref _steps);

    /// <summary>A step where the count of what was done has changed.</summary>
    public void NoteCount(long count)
    {
        if (Interlocked.Exchange(ref _lastCount, count) != count)
        {
            AddStep();
        }
    }

    /// <summary>What it did in the last ten seconds with work, or since it has worked. Told by the thread that samples.</summary>
    public (double Seconds, long Bytes, long Entries) Recent
        => _recent.Count < 2 ? default : (_lastSample.Seconds - _recent.Peek().Seconds, _lastSample.Bytes - _recent.Peek().Bytes, _lastSample.Entries - _recent.Peek().Entries);

    /// <summary>One more round of waiting that is right.</summary>
    public void AddPulse() => Interlocked.Increment(ref _pulse);

    /// <summary>What the time since the last sample went into, for the cost model.</summary>
    /// <param name="entriesDone">Entries done so far, committed or not.</param>
    /// <param name="isWaiting">Whether the node waits for failover; that time says nothing about what work costs.</param>
    public void Sample(long entriesDone, bool isWaiting)
    {
        long now = runtime.Time.GetTimestamp();
        long moved = BytesMoved;
        if (_began is { } began && !isWaiting)
        {
            double seconds = runtime.Time.GetElapsedTime(Math.Max(_sampled.Time, began), now).TotalSeconds;
            Fit.Add(seconds, moved - _sampled.Bytes, entriesDone - _sampled.Entries);
        }

        _sampled = (now, moved, entriesDone);
        SampleRecent(Seconds, moved, entriesDone, isWaiting);
    }

    private void SampleRecent(double seconds, long moved, long entriesDone, bool isWaiting)
    {
        if (isWaiting)
        {
            _recent.Clear();
        }

        if (_recent.Count > 0 && seconds <= _lastSample.Seconds)
        {
            return;
        }

        _lastSample = (seconds, moved, entriesDone);
        _recent.Enqueue(_lastSample);
        while (_recent.Count > 2 && _recent.ElementAt(1).Seconds < seconds - RecentSeconds)
        {
            _recent.Dequeue();
        }
    }
}
