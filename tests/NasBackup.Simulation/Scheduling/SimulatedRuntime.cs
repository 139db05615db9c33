using NasBackup.Coordination;

namespace NasBackup.Simulation.Scheduling;

/// <summary>Time, threads and gates of one process of the cluster.</summary>
internal sealed class SimulatedRuntime(Scheduler scheduler, SimulatedProcess process, MachineClock clock) : INodeRuntime
{
    public TimeProvider Time => clock;

    /// <summary>One: a scan uses the calling thread alone.</summary>
    public int Processors => 1;

    public void Sleep(TimeSpan duration, CancellationToken cancellation)
    {
        process.ThrowIfDead();
        if (!cancellation.IsCancellationRequested)
        {
            SimulatedThread thread = scheduler.Current!;
            using CancellationTokenRegistration early = cancellation.Register(() => scheduler.Wake(thread));
            scheduler.Wait(duration.Ticks);
        }
        else
        {
            scheduler.Wait(1);
        }

        process.ThrowIfDead();
    }

    public INodeThread Start(string name, Action body)
    {
        process.ThrowIfDead();
        return scheduler.Start(name, process, body);
    }

    public INodeGate NewGate() => new SimulatedGate(scheduler, process);

    private sealed class SimulatedGate(Scheduler scheduler, SimulatedProcess process) : INodeGate, IDisposable
    {
        private readonly Queue<SimulatedThread> _waiting = new();
        private SimulatedThread? _holder;

        public IDisposable Enter()
        {
            process.ThrowIfDead();
            SimulatedThread current = scheduler.Current!;
            if (_holder == current)
            {
                throw new InvalidOperationException("A gate was entered twice by the same thread.");
            }

            while (_holder is not null)
            {
                _waiting.Enqueue(current);
                scheduler.Block();
            }

            _holder = current;
            return this;
        }

        public void Dispose()
        {
            _holder = null;
            if (_waiting.TryDequeue(out SimulatedThread? next))
            {
                scheduler.Wake(next);
            }
        }
    }
}

/// <summary>A machine's clocks. The one that counts seconds may stand still while the machine is paused, as that of a virtual
/// machine does; the one on the wall may be wrong, and jump.</summary>
internal sealed class MachineClock(Scheduler scheduler, DateTimeOffset start, long behind) : TimeProvider
{
    // In ticks.
    private long _behind = behind;
    private long _standsUntil;

    /// <summary>How wrong the clock on the wall is.</summary>
    public TimeSpan WallError { get; set; }

    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    public override long GetTimestamp() => scheduler.Now - _behind;

    /// <summary>It stands still until then (ticks); where it does already, that much longer.</summary>
    public void StandStill(long until)
    {
        _behind += Math.Max(0, until - Math.Max(scheduler.Now, _standsUntil));
        _standsUntil = Math.Max(_standsUntil, until);
    }

    public override DateTimeOffset GetUtcNow() => start + TimeSpan.FromTicks(scheduler.Now) + WallError;
}

/// <summary>Ids that repeat with the seed.</summary>
internal sealed class SeededTokens(Random random) : Tokens
{
    private const string Alphabet = "abcdefghijkmnpqrstuvwxyz23456789";

    public override string Next(int length) => string.Create(length, random, static (text, random) =>
    {
        for (int i = 0; i < text.Length; i++)
        {
            text[i] = Alphabet[random.Next(Alphabet.Length)];
        }
    });
}
