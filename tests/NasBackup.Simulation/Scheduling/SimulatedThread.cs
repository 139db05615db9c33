using System.Runtime.ExceptionServices;
using NasBackup.Coordination;

namespace NasBackup.Simulation.Scheduling;

/// <summary>A thread of a simulated process: it runs on one of the system's, and only while it holds the scheduler's baton.</summary>
internal sealed class SimulatedThread : INodeThread
{
    private readonly Scheduler _scheduler;
    private readonly Action _body;
    private Crew.Member? _runner;
    private ExceptionDispatchInfo? _failure;

    public SimulatedThread(Scheduler scheduler, string name, SimulatedProcess process, Action body)
    {
        _scheduler = scheduler;
        _body = body;
        Name = name;
        Process = process;
    }

    public string Name { get; }

    public SimulatedProcess Process { get; }

    public bool IsOver { get; private set; }

    /// <summary>Which entry of the scheduler's queue is this thread's turn.</summary>
    public long Version { get; set; }

    public List<SimulatedThread> Joining { get; } = [];

    /// <summary>What ended it before its time, or null.</summary>
    public Exception? Failure => _failure?.SourceException;

    public void Join()
    {
        while (!IsOver)
        {
            SimulatedThread current = _scheduler.Current!;
            current.ThrowIfDead();
            Joining.Add(current);
            _scheduler.Block();
        }

        _scheduler.Current!.ThrowIfDead();
        _failure?.Throw();
    }

    /// <exception cref="ProcessDeadException">The process was killed, or its machine has crashed.</exception>
    public void ThrowIfDead() => Process.ThrowIfDead();

    internal void Resume()
    {
        if (_runner is null)
        {
            _runner = _scheduler.Crew.Take();
            _runner.Begin(this);
            return;
        }

        _runner.Baton.Give();
    }

    internal void Suspend() => _runner!.Baton.Take();

    /// <summary>Runs it to its end, on one of the crew.</summary>
    internal void Run(Crew.Member runner)
    {
        try
        {
            if (!Process.IsDead)
            {
                _body();
            }
        }
        catch (Exception e)
        {
            _failure = ExceptionDispatchInfo.Capture(e);
        }

        IsOver = true;
        runner.SetFree();
        _scheduler.Ended(this);
    }
}

/// <summary>One start of a node or a client: threads that live, stand still and die together.</summary>
internal sealed class SimulatedProcess(string name)
{
    public string Name => name;

    public List<SimulatedThread> Threads { get; } = [];

    public bool IsDead { get; set; }

    /// <summary>No thread gets a turn before this moment (ticks).</summary>
    public long PausedUntil { get; set; }

    public bool IsOver => Threads.TrueForAll(thread => thread.IsOver);

    /// <exception cref="ProcessDeadException">It was killed, or its machine has crashed.</exception>
    public void ThrowIfDead()
    {
        if (IsDead)
        {
            throw new ProcessDeadException(name);
        }
    }
}

/// <summary>Unwinds the threads of a process that is no more. Protocol code must not catch it.</summary>
internal sealed class ProcessDeadException(string process) : Exception($"The process {process} is no more.");
