using NasBackup.Files;
using NasBackup.Simulation.Checks;
using NasBackup.Simulation.Faults;
using NasBackup.Simulation.Scheduling;
using NasBackup.Simulation.Storage;

namespace NasBackup.Simulation.Cluster;

/// <summary>What one process of a machine meets when it touches a file: time that passes, others that run meanwhile, faults.</summary>
internal sealed class ProcessWorld(Scheduler scheduler, SimulatedProcess process, Machine machine, FaultInjector faults, Trace trace, Oracle oracle, TimeSpan folderTime) : IWorld
{
    /// <summary>Of reading operations only some wait for their turn: it is what changes something that races.</summary>
    private const double ReadsThatWait = 0.3;

    private const long LeastLatency = 500;
    private const long MostLatency = 20_000;

    private readonly Random _random = machine.Random;

    public T Do<T>(ClientMount mount, Operation operation, string path, Func<T> effect)
    {
        process.ThrowIfDead();
        oracle.Issued(process.Name, machine, mount, operation, path);
        long latency = Latency(operation);
        if (operation is Operation.ReadDirectory && mount.Volume.Name == "source" && folderTime > TimeSpan.Zero)
        {
            latency += (long)(_random.NextDouble() * folderTime.Ticks);
        }

        bool before = latency > 0 && _random.Next(2) == 0;
        if (before)
        {
            scheduler.Wait(latency);
        }

        faults.Before(machine, process, mount, operation, path);
        WaitWhileAway(mount, operation, path);
        T result;
        try
        {
            result = effect();
        }
        catch (FileSystemException e) when (NoteFailure(e))
        {
            throw;
        }

        trace.Add(process.Name, operation, path, null);
        oracle.Did(process.Name, machine, mount, operation, path);
        faults.After(machine, process, mount, operation, path);
        if (latency > 0 && !before)
        {
            scheduler.Wait(latency);
        }

        return result;

        // Asked before anything is unwound, and never caught: to throw twice costs twice as much, and this happens all the time.
        bool NoteFailure(FileSystemException e)
        {
            trace.Add(process.Name, operation, path, e.Problem.ToString());
            oracle.Failed(process.Name, operation, path);
            return false;
        }
    }

    public void Pass() => scheduler.Wait(Latency(Operation.Write));

    private long Latency(Operation operation)
    {
        bool reads = operation is Operation.Read or Operation.OpenRead or Operation.GetStatus or Operation.GetSpace or Operation.ReadDirectory or Operation.Open or Operation.Reserve;
        if (reads && _random.NextDouble() > ReadsThatWait)
        {
            return 0;
        }

        return (long)(_random.NextInt64(LeastLatency, MostLatency) * machine.Slowness);
    }

    private void WaitWhileAway(ClientMount mount, Operation operation, string path)
    {
        while (mount.AwayUntil > scheduler.Now)
        {
            if (mount.FailsWhileAway)
            {
                scheduler.Wait(MostLatency);
                trace.Add(process.Name, operation, path, "away");
                throw mount.Volume.Error(_random.Next(2) == 0 ? FileProblem.Stale : FileProblem.InputOutput, "use", FilePath.Root, $"'{path}' is away");
            }

            scheduler.Wait(mount.AwayUntil - scheduler.Now);
        }
    }
}
