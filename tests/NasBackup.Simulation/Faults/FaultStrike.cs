using NasBackup.Simulation.Cluster;
using NasBackup.Simulation.Scheduling;
using NasBackup.Simulation.Storage;

namespace NasBackup.Simulation.Faults;

/// <summary>Does what a fault does to machines and volumes.</summary>
internal sealed class FaultStrike(Scheduler scheduler, SimulatedCluster cluster, Tally tally, Random random, Fault fault)
{
    public void Do(Machine machine)
    {
        switch (fault.Kind)
        {
            case FaultKind.ProcessKill:
                End(machine, losesPower: false, comesBack: random.Next(2) == 0);
                break;
            case FaultKind.MachineCrash:
                End(machine, losesPower: true, comesBack: random.Next(2) == 0);
                break;
            case FaultKind.CrashOfSeveral:
                CrashMany(machine, Math.Max(2, cluster.Machines.Count / 2));
                break;
            case FaultKind.CrashOfAllButOne:
                CrashMany(machine, cluster.Machines.Count - 1);
                break;
            case FaultKind.Restart:
                End(machine, losesPower: false, comesBack: true);
                break;
            case FaultKind.Pause or FaultKind.FrozenMachine:
                Pause(machine);
                break;
            case FaultKind.SlowNode:
                Slow(machine);
                break;
            case FaultKind.ClockJump:
                machine.Clock.WallError += TimeSpan.FromHours((random.NextDouble() - 0.5) * 24 * 365);
                Count();
                break;
            default:
                OnVolume(machine, cluster.Volumes[fault.Volume]);
                break;
        }
    }

    private void OnVolume(Machine machine, Volume volume)
    {
        switch (fault.Kind)
        {
            case FaultKind.Partition or FaultKind.HangingPartition when machine.MountOf(volume.Name) is { } mount:
                Away(machine, mount, fails: fault.Kind is FaultKind.Partition);
                Count();
                break;
            case FaultKind.StuckSource when machine.MountOf(cluster.Source.Name) is { } mount:
                Away(machine, mount, fails: false);
                Count();
                cluster.NoteStuck(machine, fault.Duration);
                break;
            case FaultKind.Remount:
                Remount(machine, volume);
                break;
            case FaultKind.ServerCrash:
                CrashServer(volume);
                break;
            case FaultKind.ShareFull:
                Until(cluster.Share, on: share => share.IsFull = true, off: share => share.IsFull = false);
                break;
            case FaultKind.DeviceFull:
                Until(cluster.Device, on: device => device.IsFull = true, off: device => device.IsFull = false);
                break;
            case FaultKind.DeviceReadOnly:
                Until(cluster.Device, on: device => device.IsReadOnly = true, off: device => device.IsReadOnly = false);
                break;
        }
    }

    private void End(Machine machine, bool losesPower, bool comesBack)
    {
        if (!machine.IsRunning)
        {
            return;
        }

        Count();
        Kill(machine, losesPower);
        if (comesBack)
        {
            tally.Count("restart under the same name");
            scheduler.At(TimeSpan.FromTicks(scheduler.Now) + (fault.Duration * random.NextDouble()), () => cluster.StartNode(machine));
        }
    }

    private void CrashMany(Machine first, int count)
    {
        Machine[] running = [first, .. cluster.Machines.Where(machine => machine.IsRunning && machine != first).OrderBy(_ => random.Next())];
        running = [.. running.Where(machine => machine.IsRunning).Take(count)];
        if (running.Length > 1)
        {
            Count();
            Array.ForEach(running, machine => Kill(machine, losesPower: random.Next(2) == 0));
        }
    }

    private void Kill(Machine machine, bool losesPower)
    {
        machine.NoteDeath();
        scheduler.Kill(machine.Process!);
        cluster.NoteDeath(machine);
        if (losesPower && machine.LosePower())
        {
            tally.Count("torn write");
        }
        else if (!losesPower)
        {
            // The kernel lives on, and sends what the process had written.
            foreach (ClientMount mount in machine.Mounts.Where(mount => mount.HasDirty))
            {
                scheduler.At(TimeSpan.FromTicks(scheduler.Now) + TimeSpan.FromSeconds(random.NextDouble() * 10), () => SendAll(mount));
            }
        }
    }

    private static void SendAll(ClientMount mount)
    {
        if (!mount.IsStale && !mount.Volume.IsFull && !mount.Volume.IsReadOnly)
        {
            mount.SyncAll();
        }
    }

    private void Pause(Machine machine)
    {
        if (!machine.IsRunning)
        {
            return;
        }

        Count();
        Trouble(machine, fault.Duration.Ticks);
        machine.Process!.PausedUntil = Math.Max(machine.Process.PausedUntil, scheduler.Now + fault.Duration.Ticks);
        if (fault.Kind is FaultKind.FrozenMachine)
        {
            machine.Clock.StandStill(scheduler.Now + fault.Duration.Ticks);
        }
    }

    private void Slow(Machine machine)
    {
        Count();
        Trouble(machine, fault.Duration.Ticks);
        machine.Slowness = Math.Pow(100, fault.Strength);
        scheduler.At(TimeSpan.FromTicks(scheduler.Now) + fault.Duration, () => machine.Slowness = 1);
    }

    private void Away(Machine machine, ClientMount mount, bool fails)
    {
        Trouble(machine, fault.Duration.Ticks);
        mount.AwayUntil = Math.Max(mount.AwayUntil, scheduler.Now + fault.Duration.Ticks);
        mount.FailsWhileAway = fails;
    }

    private void Remount(Machine machine, Volume volume)
    {
        if (volume == cluster.Device && !cluster.IsPlanned)
        {
            // Where the device is not mounted when the set's folder is made, nobody can know that it is missing.
            return;
        }

        Count();
        Trouble(machine, fault.Duration.Ticks);
        machine.Unmount(volume.Name);
        scheduler.At(TimeSpan.FromTicks(scheduler.Now) + fault.Duration, () => machine.Mount(volume));
        cluster.HasEntryFaults |= volume == cluster.Device;
    }

    private void CrashServer(Volume volume)
    {
        Count();
        bool fails = random.Next(2) == 0;
        bool goesStale = !volume.KeepsNamesAtOnce && cluster.IsPlanned;
        int lost = volume.Crash(random);
        tally.Count("name or content lost with the server", lost);
        foreach (Machine machine in cluster.Machines)
        {
            if (machine.MountOf(volume.Name) is { } mount)
            {
                Away(machine, mount, fails);
                if (goesStale)
                {
                    // A server that may have lost what it had acknowledged does not come back unnoticed: old handles are stale.
                    machine.Unmount(volume.Name);
                    scheduler.At(TimeSpan.FromTicks(scheduler.Now) + fault.Duration, () => machine.Mount(volume));
                }
            }
        }

        cluster.HasEntryFaults |= volume == cluster.Device;
    }

    private void Until(Volume volume, Action<Volume> on, Action<Volume> off)
    {
        Count();
        on(volume);
        foreach (Machine machine in cluster.Machines)
        {
            Trouble(machine, fault.Duration.Ticks);
        }

        cluster.HasEntryFaults |= volume == cluster.Device;
        scheduler.At(TimeSpan.FromTicks(scheduler.Now) + fault.Duration, () => off(volume));
    }

    private void Trouble(Machine machine, long ticks) => machine.Trouble(scheduler.Now + ticks);

    private void Count() => tally.Count(fault.Kind.ToString());
}
