namespace NasBackup.Simulation.Scheduling;

/// <summary>
/// Runs the threads of a simulated cluster one at a time, in an order that the seed alone decides, on a clock that stands
/// still while they run. A thread gives up its turn where it waits; the one whose time comes next goes on. Threads are the
/// system's own, so that the code under test needs no other form: the scheduler only hands the baton on.
/// </summary>
internal sealed class Scheduler
{
    private readonly PriorityQueue<Turn, (long At, int Order)> _turns = new();
    private readonly List<SimulatedThread> _threads = [];
    private readonly Random _random;
    private readonly TaskCompletionSource _over = new();
    private bool _isEnding;

    public Scheduler(Random random) => _random = random;

    /// <summary>What its threads run on: that of the thread that made it, or one of its own.</summary>
    public Crew Crew { get; } = Crew.Own ?? new Crew();

    /// <summary>Virtual time since the start, in ticks of 100 ns.</summary>
    public long Now { get; private set; }

    /// <summary>How often the baton went from one thread to another.</summary>
    public long Switches { get; private set; }

    /// <summary>The thread whose turn it is; null while the cluster's own actions run.</summary>
    public SimulatedThread? Current { get; private set; }

    /// <summary>What ended threads that should not have ended.</summary>
    public IEnumerable<(string Thread, Exception Failure)> Failures => _threads
        .Where(thread => thread.Failure is not null and not ProcessDeadException)
        .Select(thread => ($"{thread.Process.Name}, {thread.Name}", thread.Failure!));

    /// <summary>Runs until no thread is left, or the time is over; then whatever is left is ended.</summary>
    /// <returns>Whether all threads ended by themselves.</returns>
    public bool Run(TimeSpan limit)
    {
        bool ranOut = false;
        At(limit, () =>
        {
            ranOut = _threads.Exists(thread => !thread.IsOver);
            End();
        });
        HandOn();
        _over.Task.Wait();
        if (Crew != Crew.Own)
        {
            Crew.Dispose();
        }

        return !ranOut;
    }

    /// <summary>Does something at a moment, between two turns.</summary>
    public void At(TimeSpan moment, Action action)
        => _turns.Enqueue(new Turn(null, 0, action), (Math.Max(Now, moment.Ticks), _random.Next()));

    /// <summary>Makes a thread; its first turn comes at once, in an order that the seed decides.</summary>
    public SimulatedThread Start(string name, SimulatedProcess process, Action body)
    {
        var thread = new SimulatedThread(this, name, process, body);
        _threads.Add(thread);
        process.Threads.Add(thread);
        Schedule(thread, Now);
        return thread;
    }

    /// <summary>The current thread waits for that many ticks; others may run meanwhile.</summary>
    public void Wait(long ticks)
    {
        SimulatedThread thread = Current!;
        Schedule(thread, Now + Math.Max(0, ticks));
        Yield(thread);
        thread.ThrowIfDead();
    }

    /// <summary>The current thread waits until somebody wakes it.</summary>
    public void Block()
    {
        SimulatedThread thread = Current!;
        if (!thread.Process.IsDead)
        {
            Yield(thread);
        }

        thread.ThrowIfDead();
    }

    /// <summary>The thread's turn comes now, whatever it waited for.</summary>
    public void Wake(SimulatedThread thread)
    {
        if (!thread.IsOver && thread != Current)
        {
            Schedule(thread, Now);
        }
    }

    /// <summary>Ends a process where it stands: each of its threads gets a last turn, in which whatever it calls throws.</summary>
    public void Kill(SimulatedProcess process)
    {
        process.IsDead = true;
        process.Threads.ForEach(Wake);
    }

    /// <summary>Ends everything; what is on the clock later does not happen any more.</summary>
    public void End()
    {
        _isEnding = true;
        _turns.Clear();
        foreach (SimulatedThread thread in _threads.Where(thread => !thread.IsOver))
        {
            thread.Process.IsDead = true;
            Schedule(thread, Now);
        }
    }

    /// <summary>Called by a thread that is through: the baton goes to the next.</summary>
    internal void Ended(SimulatedThread thread)
    {
        foreach (SimulatedThread waiting in thread.Joining)
        {
            Wake(waiting);
        }

        Current = null;
        HandOn();
    }

    private void Schedule(SimulatedThread thread, long at)
    {
        // A thread has one turn at most: an earlier entry of the queue counts no longer.
        thread.Version++;
        _turns.Enqueue(new Turn(thread, thread.Version, null), (at, _random.Next()));
    }

    private void Yield(SimulatedThread thread)
    {
        SimulatedThread? next = Next();
        if (next == thread)
        {
            return;
        }

        if (next is null)
        {
            // Everybody waits for somebody, and nobody will come.
            Current = thread;
            throw new InvalidOperationException("All threads of the cluster are blocked.");
        }

        Switches++;
        next.Resume();
        thread.Suspend();
    }

    private void HandOn()
    {
        if (Next() is { } next)
        {
            Switches++;
            next.Resume();
        }
        else
        {
            _over.TrySetResult();
        }
    }

    /// <summary>The thread whose turn comes next; the cluster's own actions that come before are done here.</summary>
    private SimulatedThread? Next()
    {
        Current = null;
        while (_turns.TryDequeue(out Turn turn, out (long At, int Order) place))
        {
            if (turn.Thread is not { } thread)
            {
                Now = Math.Max(Now, place.At);
                turn.Action!();
                continue;
            }

            if (thread.Version != turn.Version || thread.IsOver)
            {
                continue;
            }

            if (thread.Process.PausedUntil > place.At && !thread.Process.IsDead && !_isEnding)
            {
                Schedule(thread, thread.Process.PausedUntil);
                continue;
            }

            Now = Math.Max(Now, place.At);
            Current = thread;
            return thread;
        }

        return null;
    }

    private readonly record struct Turn(SimulatedThread? Thread, long Version, Action? Action);
}
