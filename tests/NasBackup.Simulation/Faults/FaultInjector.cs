using NasBackup.Files;
using NasBackup.Simulation.Cluster;
using NasBackup.Simulation.Scheduling;
using NasBackup.Simulation.Storage;

namespace NasBackup.Simulation.Faults;

/// <summary>Lets things go wrong when their time has come: at a moment, or in the middle of an operation.</summary>
internal sealed class FaultInjector(Scheduler scheduler, SimulatedCluster cluster, Tally tally, Trace trace, Random random)
{
    private readonly List<Armed> _armed = [];
    private readonly List<Weather> _weather = [];
    private readonly Dictionary<string, int> _unreadable = new(StringComparer.Ordinal);

    /// <summary>When the last fault is over and everything is well again (ticks).</summary>
    public long QuietFrom { get; private set; }

    public void Arm(IReadOnlyList<Fault> faults, TimeSpan quietFrom)
    {
        QuietFrom = quietFrom.Ticks;
        foreach (Fault fault in faults)
        {
            if (fault.Trigger is { } trigger)
            {
                _armed.Add(new Armed(fault, trigger));
            }
            else
            {
                scheduler.At(fault.At, () => Strike(fault, cluster.Machines[fault.Machine]));
            }
        }

        scheduler.At(quietFrom, Heal);
    }

    /// <summary>Before an operation takes effect.</summary>
    public void Before(Machine machine, SimulatedProcess process, ClientMount mount, Operation operation, string path)
    {
        StrikeAtOperation(machine, process, operation, path, before: true);
        // A copy: others may run, and more may go wrong, while an operation is slow.
        foreach (Weather weather in _weather.ToArray())
        {
            if (!weather.IsOver(scheduler.Now) && weather.Machine == machine.Number && weather.Volume == mount.Volume && random.NextDouble() < weather.Probability)
            {
                if (weather.Kind is FaultKind.SlowOperations)
                {
                    tally.Count("operation slow");
                    scheduler.Wait((long)(random.NextDouble() * weather.Worst));
                }
                else if (weather.Kind is FaultKind.FailingOperations)
                {
                    tally.Count("operation failed");
                    trace.Say(process.Name, $"{operation} {path} fails");
                    throw Failure(mount, operation, path);
                }
            }
        }

        if (operation is Operation.OpenRead && _unreadable.TryGetValue(path, out int who) && (who < 0 || who == machine.Number))
        {
            tally.Count("file unreadable");
            throw new FileSystemException(FileProblem.AccessDenied, "open", path, "Permission denied");
        }
    }

    /// <summary>After an operation has taken effect.</summary>
    public void After(Machine machine, SimulatedProcess process, ClientMount mount, Operation operation, string path)
    {
        StrikeAtOperation(machine, process, operation, path, before: false);
        foreach (Weather weather in _weather)
        {
            if (weather.Kind is FaultKind.FailingAfterEffect && !weather.IsOver(scheduler.Now) && weather.Machine == machine.Number
                && weather.Volume == mount.Volume && random.NextDouble() < weather.Probability && LostReply(mount, operation, path) is { } failure)
            {
                trace.Say(process.Name, $"{operation} {path} took effect, but says {failure.Problem}");
                throw failure;
            }
        }
    }

    /// <summary>A process has written the draft of a cut, and not linked it yet.</summary>
    public void NoteCutDraft(string process)
    {
        foreach (Armed armed in _armed.Where(armed => armed.Trigger.Path == Trigger.OfCut && ++armed.Seen == armed.Trigger.Count && scheduler.Now < QuietFrom).ToArray())
        {
            Machine? machine = cluster.Machines.FirstOrDefault(machine => machine.Process?.Name == process);
            if (machine is not null)
            {
                scheduler.At(TimeSpan.FromTicks(scheduler.Now), () => Strike(armed.Fault, machine));
            }
        }
    }

    private void StrikeAtOperation(Machine machine, SimulatedProcess process, Operation operation, string path, bool before)
    {
        foreach (Armed armed in _armed.ToArray())
        {
            bool isMeant = armed.Trigger.Path is { } part ? path.Contains(part, StringComparison.Ordinal) : armed.Fault.Machine == machine.Number;
            if (isMeant && armed.Trigger.Operation == operation && armed.Trigger.BeforeEffect == before
                && ++armed.Seen == armed.Trigger.Count && scheduler.Now < QuietFrom)
            {
                Strike(armed.Fault, machine);
            }
        }

        if (process.IsDead || process.PausedUntil > scheduler.Now)
        {
            process.ThrowIfDead();
            scheduler.Wait(0);
        }
    }

    private void Strike(Fault fault, Machine machine)
    {
        var strike = new FaultStrike(scheduler, cluster, tally, random, fault);
        trace.Say(machine.Name, $"FAULT {fault.Kind} ({fault.Duration.TotalSeconds:F2} s)");
        switch (fault.Kind)
        {
            case FaultKind.SlowOperations or FaultKind.FailingOperations or FaultKind.FailingAfterEffect:
                tally.Count(fault.Kind.ToString());
                Trouble(machine, fault);
                _weather.Add(new Weather(
                    fault.Kind, machine.Number, cluster.Volumes[fault.Volume], scheduler.Now + fault.Duration.Ticks, 0.02 + (0.3 * fault.Strength), fault.Duration.Ticks / 3));
                break;
            case FaultKind.UnreadableFile:
                tally.Count(fault.Kind.ToString());
                _unreadable[cluster.RandomSourceFile(random)] = random.Next(2) == 0 ? -1 : machine.Number;
                cluster.HasEntryFaults = true;
                break;
            case FaultKind.TouchedFile:
                tally.Count(fault.Kind.ToString());
                cluster.TouchSourceFile(random);
                break;
            default:
                strike.Do(machine);
                break;
        }
    }

    private void Trouble(Machine machine, Fault fault)
    {
        machine.Trouble(scheduler.Now + fault.Duration.Ticks);
        cluster.HasEntryFaults |= fault.Kind is FaultKind.FailingOperations or FaultKind.FailingAfterEffect && fault.Volume > 0;
    }

    /// <summary>The faults are over: what is left of the cluster must be able to finish.</summary>
    private void Heal()
    {
        trace.Say("(cluster)", "all faults are over");
        _weather.Clear();
        foreach (Volume volume in cluster.Volumes)
        {
            (volume.IsFull, volume.IsReadOnly) = (false, false);
        }

        foreach (Machine machine in cluster.Machines)
        {
            machine.Slowness = 1;
            foreach (Volume volume in cluster.Volumes)
            {
                machine.Mount(volume);
            }

            foreach (ClientMount mount in machine.Mounts)
            {
                mount.AwayUntil = Math.Min(mount.AwayUntil, scheduler.Now);
            }
        }
    }

    private FileSystemException Failure(ClientMount mount, Operation operation, string path)
    {
        FileProblem problem = random.Next(4) switch
        {
            0 when operation is Operation.Link => FileProblem.AccessDenied,
            1 => FileProblem.Stale,
            _ => FileProblem.InputOutput,
        };
        return Error(mount, problem, operation, path);
    }

    /// <summary>What an operation that took effect may be reported as, when its reply was lost and it was asked for again.</summary>
    private FileSystemException? LostReply(ClientMount mount, Operation operation, string path)
    {
        switch (operation)
        {
            case Operation.Link or Operation.CreateNew or Operation.CreateSymbolicLink or Operation.CreateSpecial:
                FileProblem problem = random.Next(3) switch { 0 => FileProblem.Stale, 1 when operation is Operation.Link => FileProblem.AccessDenied, _ => FileProblem.AlreadyExists };
                tally.Count($"own success as {problem switch { FileProblem.Stale => "ESTALE", FileProblem.AccessDenied => "EPERM", _ => "EEXIST" }}");
                return Error(mount, problem, operation, path);
            case Operation.Rename:
                tally.Count("own rename as ENOENT");
                return Error(mount, random.Next(2) == 0 ? FileProblem.NotFound : FileProblem.Stale, operation, path);
            case Operation.Write or Operation.Sync or Operation.SyncAll or Operation.Close or Operation.SyncDirectory
                or Operation.Delete or Operation.SetMetadata or Operation.CreateDirectory or Operation.OpenReadWrite:
                tally.Count("own success as EIO");
                return Error(mount, FileProblem.InputOutput, operation, path);
            default:
                return null;
        }
    }

    private static FileSystemException Error(ClientMount mount, FileProblem problem, Operation operation, string path)
        => new(problem, operation.ToString(), path, $"injected on {mount.Volume.Name}");

    private sealed class Armed(Fault fault, Trigger trigger)
    {
        public Fault Fault => fault;

        public Trigger Trigger => trigger;

        public int Seen { get; set; }
    }

    private sealed record Weather(FaultKind Kind, int Machine, Volume Volume, long Until, double Probability, double Worst)
    {
        public bool IsOver(long now) => now >= Until;
    }
}
