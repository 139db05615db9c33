using System.Diagnostics;
using NasBackup.Simulation.Checks;
using NasBackup.Simulation.Cluster;
using NasBackup.Simulation.Defects;
using NasBackup.Simulation.Faults;
using NasBackup.Simulation.Scheduling;

namespace NasBackup.Simulation;

/// <summary>What one seed came to.</summary>
internal sealed record RunResult(int Seed, IReadOnlyList<Violation> Violations, Tally Tally, ulong TraceHash, long Events, long Switches, TimeSpan Duration);

/// <summary>Runs seeds, some at a time, and adds up what happened in them.</summary>
internal sealed class Batch
{
    private readonly Lock _gate = new();
    private int _next;

    public Tally Tally { get; } = new();

    public long Runs { get; private set; }

    public long Events { get; private set; }

    /// <summary>Virtual time of all runs together.</summary>
    public TimeSpan Simulated { get; private set; }

    /// <summary>The seeds that broke a promise, in the order in which they were found.</summary>
    public List<RunResult> Broken { get; } = [];

    /// <summary>One seed.</summary>
    public static RunResult Run(int seed, Defect? defect = null)
    {
        var cluster = new SimulatedCluster(seed, defect);
        IReadOnlyList<Violation> violations = cluster.Run();
        return new RunResult(seed, violations, cluster.Tally, cluster.Trace.Hash, cluster.Trace.Events, cluster.Switches, cluster.Duration);
    }

    /// <summary>One seed again, with every event in words.</summary>
    public static void Explain(int seed, TextWriter output, int mostLines, Defect? defect = null)
    {
        var cluster = new SimulatedCluster(seed, defect, keepsText: true);
        IReadOnlyList<Violation> violations = cluster.Run();
        output.WriteLine($"Seed {seed}: {cluster.Scenario}");
        foreach (Fault fault in cluster.Faults)
        {
            output.WriteLine($"  {fault.Kind} on {cluster.Machines[fault.Machine].Name}/{cluster.Volumes[fault.Volume].Name} {(fault.Trigger is { } trigger ? $"{(trigger.BeforeEffect ? "before" : "after")} {trigger.Operation} {trigger.Count}{(trigger.Path is { } path ? $" on {path}" : "")}" : $"at {fault.At.TotalSeconds:F2} s")} for {fault.Duration.TotalSeconds:F2} s");
        }

        IReadOnlyList<string> lines = cluster.Trace.Lines;
        int first = lines.ToList().FindIndex(line => line.Contains("(check)", StringComparison.Ordinal));
        int end = first < 0 ? lines.Count : Math.Min(lines.Count, first + (mostLines / 4) + 1);
        foreach (string line in lines.Take(end).Skip(Math.Max(0, end - mostLines)))
        {
            output.WriteLine(line);
        }

        foreach (Violation violation in violations)
        {
            output.WriteLine(violation);
        }
    }

    /// <summary>Runs seeds from the first on until there are as many, or the time is over.</summary>
    public void Run(int first, int count, TimeSpan limit, int parallel, int mostBroken = int.MaxValue, Action<Batch>? progress = null)
    {
        long start = Stopwatch.GetTimestamp();
        _next = first;
        Thread[] threads = [.. Enumerable.Range(0, parallel).Select(number => new Thread(() =>
        {
            Seat.Take(number);
            using var crew = Crew.Share();
            Work(first + (long)count, start, limit, mostBroken, progress);
        }))];
        Array.ForEach(threads, thread => thread.Start());
        Array.ForEach(threads, thread => thread.Join());
    }

    private void Work(long end, long start, TimeSpan limit, int mostBroken, Action<Batch>? progress)
    {
        while (Stopwatch.GetElapsedTime(start) < limit)
        {
            int seed = Interlocked.Increment(ref _next) - 1;
            lock (_gate)
            {
                if (seed >= end || Broken.Count >= mostBroken)
                {
                    return;
                }
            }

            RunResult result = Run(seed);
            lock (_gate)
            {
                Runs++;
                Events += result.Events;
                Simulated += result.Duration;
                Tally.Add(result.Tally);
                if (result.Violations.Count > 0)
                {
                    Broken.Add(result);
                }

                progress?.Invoke(this);
            }
        }
    }
}
