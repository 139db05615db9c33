using NasBackup.Files;

namespace NasBackup.Planning;

/// <summary>What a node costs: time for an entry = bytes ÷ speed + cost per entry.</summary>
/// <param name="Speed">Bytes per second, above 0 (F3, F7).</param>
/// <param name="CostPerEntry">Seconds per entry beside its bytes.</param>
/// <param name="Backlog">Seconds of work that it has already.</param>
public readonly record struct NodeCost(double Speed, double CostPerEntry = 0, double Backlog = 0)
{
    /// <summary>Seconds for some entries.</summary>
    public double Of(double bytes, long entries) => (bytes / Speed) + (entries * CostPerEntry);
}

/// <summary>Divides entries among nodes so that all end at the same time (F4–F6).</summary>
public static class Apportionment
{
    /// <summary>The list of each node, in the order of its work.</summary>
    /// <param name="strategy">How.</param>
    /// <param name="items">What, in path order.</param>
    /// <param name="nodes">For whom; one at least.</param>
    public static IReadOnlyList<IReadOnlyList<ListItem>> Divide(
        PlanStrategy strategy, IReadOnlyList<ListItem> items, IReadOnlyList<NodeCost> nodes)
    {
        ArgumentOutOfRangeException.ThrowIfZero(nodes.Count);
        return strategy switch
        {
            PlanStrategy.Proportional => Proportional(items, nodes),
            PlanStrategy.RoundRobin => RoundRobin(items, nodes.Count),
            _ => Balanced.Divide(items, nodes),
        };
    }

    /// <summary>F5: from the largest down, each list takes entries until its share of the bytes, Vᵢ ÷ ΣV (F4), is reached;
    /// the last takes the rest.</summary>
    private static List<ListItem>[] Proportional(IReadOnlyList<ListItem> items, IReadOnlyList<NodeCost> nodes)
    {
        List<ListItem>[] lists = Empty(nodes.Count);
        double total = items.Sum(item => (double)item.Entry.Size);
        double speeds = nodes.Sum(node => node.Speed);
        int current = 0;
        double taken = 0;
        foreach (ListItem item in LargestFirst(items))
        {
            while (current < nodes.Count - 1 && taken >= total * nodes[current].Speed / speeds)
            {
                current++;
                taken = 0;
            }

            lists[current].Add(item);
            taken += item.Entry.Size;
        }

        return lists;
    }

    /// <summary>F6: dealt in turn from the largest down.</summary>
    private static List<ListItem>[] RoundRobin(IReadOnlyList<ListItem> items, int nodes)
    {
        List<ListItem>[] lists = Empty(nodes);
        int next = 0;
        foreach (ListItem item in LargestFirst(items))
        {
            lists[next++ % nodes].Add(item);
        }

        return lists;
    }

    /// <summary>By size, largest first; equals stay in path order.</summary>
    internal static IEnumerable<ListItem> LargestFirst(IEnumerable<ListItem> items)
        => items.OrderByDescending(item => item.Entry.Size);

    internal static List<ListItem>[] Empty(int nodes)
    {
        var lists = new List<ListItem>[nodes];
        for (int i = 0; i < nodes; i++)
        {
            lists[i] = [];
        }

        return lists;
    }
}
