using NasBackup.Coordination;
using NasBackup.Formats;
using NasBackup.Planning;

namespace NasBackup.Jobs;

/// <summary>What work costs each node, as the plan counts it: for the plan's nodes without a look at the share, for those that
/// came later what is known of them when they are first asked for. May be used by several threads.</summary>
internal sealed class PlanCosts
{
    private readonly Dictionary<string, NodeCost> _known = new(StringComparer.OrdinalIgnoreCase);
    private readonly Func<string, NodeCost> _costOf;
    private readonly INodeGate _gate;

    public PlanCosts(PlanDocument plan, Func<string, NodeCost> costOf, INodeRuntime runtime)
    {
        (_costOf, _gate) = (costOf, runtime.NewGate());
        foreach (PlanListDocument list in plan.Lists.Where(list => list.Speed > 0))
        {
            _known[list.Assignment.Node ?? ""] = new NodeCost(list.Speed, list.CostPerEntrySeconds);
        }
    }

    /// <summary>How long a node needs still for what its record counts, at the pace that it has lately; in seconds.</summary>
    public double SecondsLeft(RecordDocument record)
    {
        (long bytes, long entries) = (record.Counters.Total(counter => counter.BytesLeft), record.Counters.Total(counter => counter.EntriesLeft));
        return Of(record.Node).At(record.Pace).Of(bytes, entries);
    }

    public NodeCost Of(string node)
    {
        using (_gate.Enter())
        {
            return _known.TryGetValue(node, out NodeCost cost) ? cost : _known[node] = _costOf(node);
        }
    }
}
