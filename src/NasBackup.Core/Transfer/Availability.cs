using NasBackup.Coordination;

namespace NasBackup.Transfer;

/// <summary>
/// Tells a file's own trouble from that of the place it lies on, and waits for a place that is away (F14): its host may have
/// died, and failover brings it back, perhaps under a new mount. While it is away nobody is accused and no file fails,
/// until the failover timeout.
/// </summary>
internal sealed class Availability(
    SourceSet sources, SetFolder set, INodeRuntime runtime, TimeSpan failoverTimeout, Action<string> tell, Action pulse, CancellationToken cancellation)
{
    private readonly INodeGate _gate = runtime.NewGate();
    private readonly HashSet<int> _givenUp = [];
    private int _waiting;

    /// <summary>Takes a failed owner's disks over, where this node may; null: only waits.</summary>
    public Failover? Failover { get; init; }

    /// <summary>Whether somebody waits right now.</summary>
    public bool IsWaiting => Volatile.Read(ref _waiting) > 0;

    /// <summary>Looks whether a source is away, and waits until it is back.</summary>
    /// <returns>True when it was away and is back, so that the work can be tried again; false when it was there all the time,
    /// or has been given up.</returns>
    public bool WasAway(int source)
    {
        using (_gate.Enter())
        {
            if (_givenUp.Contains(source) || sources.Proves(source, out string? problem))
            {
                return false;
            }

            tell($"The source '{sources.OwnPath(source)}' is away ({problem}). Waiting up to {failoverTimeout} for failover.");
            if (Wait(() => IsBack(source)))
            {
                tell($"The source '{sources.OwnPath(source)}' is back.");
                return true;
            }

            _givenUp.Add(source);
            return false;
        }
    }

    /// <summary>Why a source was given up, as an error id and in words.</summary>
    public (string ErrorId, string Problem) WhyGivenUp(int source) => Failover?.Problem is { } problem
        ? (ErrorIds.FailoverFailed, problem)
        : (ErrorIds.FailoverTimedOut, $"the source '{sources.OwnPath(source)}' did not come back within the failover timeout");

    /// <summary>For a node that has nothing to do while others wait for a source: it may be the one whose failover command works.</summary>
    public void Help()
    {
        if (Failover is not { HasCommand: true } failover)
        {
            return;
        }

        using (_gate.Enter())
        {
            for (int source = 0; source < sources.Count; source++)
            {
                if (!sources.Proves(source, out _))
                {
                    failover.Step(source);
                }
            }
        }
    }

    /// <summary>Whether a source did not come back in time, so that what is left of it fails.</summary>
    public bool IsGivenUp(int source)
    {
        using (_gate.Enter())
        {
            return _givenUp.Contains(source);
        }
    }

    /// <summary>Looks whether the device is away, and waits until it is back.</summary>
    /// <returns>True when it was away and is back.</returns>
    /// <exception cref="NodeStoppedException">It did not come back in time.</exception>
    public bool DeviceWasAway()
    {
        using (_gate.Enter())
        {
            if (set.Proves(out string? problem))
            {
                return false;
            }

            tell($"The device '{set.DevicePath}' is away ({problem}). Waiting up to {failoverTimeout} for failover.");
            if (!Wait(() => set.Proves(out _)))
            {
                throw new NodeStoppedException(
                    ErrorIds.DeviceNotFound, $"The device '{set.DevicePath}' did not come back within {failoverTimeout}: {problem}");
            }

            tell($"The device '{set.DevicePath}' is back.");
            return true;
        }
    }

    /// <summary>Looks at all places, and waits for none. Where one hangs, this call hangs with it.</summary>
    public void Look()
    {
        for (int source = 0; source < sources.Count && !IsWaiting; source++)
        {
            sources.Proves(source, out _);
        }

        if (!IsWaiting)
        {
            set.Proves(out _);
        }
    }

    /// <summary>Whether all sources and the device are there: a node that does not see them should not ask for work.</summary>
    public bool IsWell()
    {
        using (_gate.Enter())
        {
            return _givenUp.Count == 0 && Enumerable.Range(0, sources.Count).All(source => sources.Proves(source, out _)) && set.Proves(out _);
        }
    }

    private bool IsBack(int source)
    {
        Failover?.Step(source);
        return sources.Proves(source, out _);
    }

    private bool Wait(Func<bool> isBack)
    {
        Interlocked.Increment(ref _waiting);
        try
        {
            long start = runtime.Time.GetTimestamp();
            while (runtime.Time.GetElapsedTime(start) < failoverTimeout)
            {
                pulse();
                runtime.Sleep(TimeSpan.FromMilliseconds(250), cancellation);
                cancellation.ThrowIfCancellationRequested();
                if (isBack())
                {
                    return true;
                }
            }

            return false;
        }
        finally
        {
            Interlocked.Decrement(ref _waiting);
        }
    }
}

/// <summary>The node cannot go on with anything (device full, read-only, away for good); the plan can be resumed once that is cured.</summary>
internal sealed class NodeStoppedException(string errorId, string message, Exception? inner = null) : Exception(message, inner)
{
    public string ErrorId => errorId;
}
