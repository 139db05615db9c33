using System.Text.RegularExpressions;
using NasBackup.Coordination;
using NasBackup.Simulation.Cluster;
using NasBackup.Simulation.Storage;

namespace NasBackup.Simulation.Measures;

/// <summary>Counts the operations of each node on the share in a span of time: each call of the file tree but closing.</summary>
internal sealed partial class TrafficMeter(TimeSpan from, TimeSpan until)
{
    private readonly Dictionary<string, long> _byNode = new(StringComparer.Ordinal);
    private readonly SortedDictionary<string, long> _byKind = new(StringComparer.Ordinal);

    public TimeSpan Until => until;

    public void Note(string process, Operation operation, string path, TimeSpan now)
    {
        if (now >= from && now < until && operation is not Operation.Close)
        {
            _byNode[process] = _byNode.GetValueOrDefault(process) + 1;
            string kind = KindOf(path);
            _byKind[kind] = _byKind.GetValueOrDefault(kind) + 1;
        }
    }

    /// <summary>Per node and second: the mean, the most, and what it was for.</summary>
    public string Report(int nodes)
    {
        double seconds = (until - from).TotalSeconds;
        IEnumerable<long> counts = _byNode.Values.Concat(Enumerable.Repeat(0L, Math.Max(0, nodes - _byNode.Count)));
        return $"{counts.Sum() / seconds / nodes:F2} (most {counts.Max() / seconds:F2}); "
            + string.Join(", ", _byKind.Select(kind => $"{kind.Key} {kind.Value / seconds / nodes:F2}"));
    }

    private static string KindOf(string path) => Kind().Match(path) is { Success: true } match ? match.Groups["kind"].Value : "other";

    [GeneratedRegex("plans/[^/]+/[^/]+/(?<kind>[a-z]+)", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Kind();
}

/// <summary>
/// Operations on the share per node and second, of the code that ships: one node copies a file that nobody can take from it,
/// all others have nothing to do and wait for it.
/// </summary>
internal static class TrafficMeasure
{
    private const double Speed = 50_000;
    private static readonly TimeSpan From = TimeSpan.FromSeconds(150);
    private static readonly TimeSpan Until = TimeSpan.FromSeconds(270);

    public static void Run(int nodes, TextWriter output)
    {
        foreach (MonitorMode mode in Enum.GetValues<MonitorMode>())
        {
            var meter = new TrafficMeter(From, Until);
            var cluster = new SimulatedCluster(1, measured: Waiting(nodes, mode)) { Traffic = meter };
            cluster.Run();
            output.WriteLine($"{nodes} nodes, idle-waiting, {mode}: {meter.Report(nodes)}");
        }
    }

    private static Scenario Waiting(int nodes, MonitorMode mode) => new()
    {
        Nodes = nodes,
        Entries = 50,
        FailureTimeout = TimeSpan.FromSeconds(30),
        FailoverTimeout = TimeSpan.FromMinutes(5),
        Speeds = [.. Enumerable.Repeat(Speed, nodes)],
        Starts = [.. Enumerable.Range(0, nodes).Select(node => TimeSpan.FromSeconds(1 + (5.0 * node / nodes)))],
        ExpectedDuration = TimeSpan.FromSeconds(50.0 / nodes),
        CacheTime = TimeSpan.Zero,
        SyncsAsOne = true,
        CommitsAtClose = false,
        DeviceKeepsNames = true,
        Workers = 1,
        LargeFile = (int)(Speed * 1000),
        SegmentBytes = 0,
        Strategy = PlanStrategy.Balanced,
        HasSourceOwner = false,
        MonitorMode = mode,
        WatchAllUpTo = WatchRing.WatchAllUpTo,
    };
}
