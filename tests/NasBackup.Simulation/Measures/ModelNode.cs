using NasBackup.Planning;

namespace NasBackup.Simulation.Measures;

/// <summary>A list in the model of time.</summary>
/// <param name="items">Its entries in the order of the work.</param>
/// <param name="depth">How many failures stand between it and a first list.</param>
internal sealed class ModelList(IReadOnlyList<ListItem> items, int depth)
{
    private readonly double[] _before = Sums(items);

    public IReadOnlyList<ListItem> Items => items;

    public int Depth => depth;

    /// <summary>Where it ends: what is behind was cut off.</summary>
    public int End { get; private set; } = items.Count;

    /// <summary>Work up to an entry, as bytes.</summary>
    public double WorkBefore(int entry) => _before[entry];

    public double Work => _before[End];

    /// <summary>How many entries are through when that much work is done.</summary>
    public int EntriesIn(double work)
    {
        int at = Array.BinarySearch(_before, 0, End + 1, work);
        return at >= 0 ? at : ~at - 1;
    }

    public void Cut(int end) => End = end;

    public IReadOnlyList<ListItem> From(int start) => [.. items.Skip(start).Take(End - start)];

    private static double[] Sums(IReadOnlyList<ListItem> items)
    {
        var sums = new double[items.Count + 1];
        for (int i = 0; i < items.Count; i++)
        {
            sums[i + 1] = sums[i] + ScaleSetting.Work(items[i].Entry.Size, 1);
        }

        return sums;
    }
}

/// <summary>A node in the model of time: it works its lists off one after the other at its own speed.</summary>
internal sealed class ModelNode(int number, string name, NodeCost cost, double failsAt)
{
    public int Number => number;

    public string Name => name;

    public NodeCost Cost => cost;

    public double FailsAt => failsAt;

    /// <summary>Its lists; the first is in hand.</summary>
    public List<ModelList> Lists { get; } = [];

    /// <summary>When it began the list in hand.</summary>
    public double BeganAt { get; set; }

    /// <summary>Since when it has nothing to do.</summary>
    public double IdleSince { get; set; }

    public double AskedAt { get; set; } = double.NegativeInfinity;

    public int LastAsked { get; set; } = -1;

    public int Vain { get; set; }

    /// <summary>Whether an event stands on the clock at which it asks for work.</summary>
    public bool WillAsk { get; set; }

    /// <summary>Which event of its end counts: what was planned before a cut does not.</summary>
    public int Version { get; set; }

    /// <summary>Those who ask it for work.</summary>
    public HashSet<ModelNode> Askers { get; } = [];

    public bool Lives(double now) => now < failsAt;

    /// <summary>Work done of the list in hand.</summary>
    public double Done(double now) => Lists.Count == 0 ? 0 : Math.Min(Lists[0].Work, Math.Max(0, now - BeganAt) * cost.Speed);

    /// <summary>When it will be through with all that it has.</summary>
    public double EndsAt(double now) => now + SecondsLeft(now);

    public double SecondsLeft(double now) => Lists.Count == 0 ? 0 : (Lists.Sum(list => list.Work) - Done(now)) / cost.Speed;
}
