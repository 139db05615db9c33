using NasBackup.Coordination;
using NasBackup.Simulation.Cluster;
using NasBackup.Simulation.Scheduling;

namespace NasBackup.Simulation.Checks;

/// <summary>Promise 7: a process that lives and moves nothing is taken over, when somebody who is well can see it.</summary>
internal sealed class StuckCheck(Oracle oracle, SimulatedCluster cluster, Scheduler scheduler)
{
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(3);

    public void Begin(Machine machine, TimeSpan duration)
    {
        TimeSpan start = oracle.Now;
        TimeSpan wait = (cluster.Scenario.FailureTimeout * 1.5) + Grace;
        if (duration > wait && machine.IsRunning && cluster.Scenario.MonitorMode is MonitorMode.Continuous)
        {
            string process = machine.Process!.Name;
            scheduler.At(start + wait, () => Judge(machine, process, start));
        }
    }

    private void Judge(Machine machine, string process, TimeSpan start)
    {
        RecordDocument? record = oracle.Facts!.Records.Values.LastOrDefault(record => record.Node == machine.Name);
        if (machine.Process!.Name != process || !machine.IsRunning || machine.Process.PausedUntil > start.Ticks || record is not { State: NodeState.Working, Counters: [{ } inHand, ..] }
            || machine.MountOf(cluster.Source.Name) is not { } mount || mount.AwayUntil <= scheduler.Now)
        {
            return;
        }

        // On a ring three of the others watch it.
        Machine[] others = [.. cluster.Machines.Where(other => other != machine && other.IsRunning)];
        int well = others.Count(other => other.TroubledUntil < start.Ticks);
        bool somebodySees = well > (cluster.Scenario.HasRing ? Math.Max(0, others.Length - WatchRing.Watchers) : 0);
        AssignmentFacts? assignment = oracle.Facts.Find(inHand.Assignment);
        if (somebodySees && assignment is { Terminal: null } && assignment.Owner == record.Incarnation && assignment.Since < start && oracle.LastMoved(record) < start + Grace)
        {
            oracle.Break(Promise.ProgressMeansWork, $"{machine.Name} has moved nothing of {assignment.Id} since {start.TotalSeconds:F2} s, and nobody has taken it over");
        }

        cluster.Tally.Count("stuck node watched to its takeover");
    }
}
