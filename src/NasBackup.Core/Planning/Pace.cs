namespace NasBackup.Planning;

/// <summary>
/// How fast a node works lately, against what the plan counted with: seconds of work by the cost model that it does in a
/// second. 1 is as planned, 0.2 is five times slower.
/// </summary>
internal static class Pace
{
    /// <summary>Nothing that moves is slower than this; it keeps quotients finite.</summary>
    public const double Least = 1e-6;

    /// <summary>Seconds per entry where no cost is known: folders of empty files are work too.</summary>
    private const double LeastCostPerEntry = 0.0001;

    /// <summary>What work costs a node that keeps that pace, in seconds by the clock.</summary>
    public static NodeCost At(this NodeCost cost, double? pace)
    {
        double factor = Math.Max(Least, pace ?? 1);
        return cost with { Speed = cost.Speed * factor, CostPerEntry = Math.Max(LeastCostPerEntry, cost.CostPerEntry) / factor };
    }

    /// <summary>The pace of a node that did this in so many seconds, or null where that tells nothing.</summary>
    public static double? Of(NodeCost cost, double seconds, long bytes, long entries)
        => seconds > 0 && (bytes > 0 || entries > 0) ? cost.At(1).Of(bytes, entries) / seconds : null;
}
