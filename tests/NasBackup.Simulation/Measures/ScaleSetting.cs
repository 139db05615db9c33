using System.Globalization;
using NasBackup.Files;
using NasBackup.Planning;

namespace NasBackup.Simulation.Measures;

/// <summary>A cluster in numbers: how fast its nodes are, what they have to do, and when some of them fail.</summary>
internal sealed class ScaleSetting
{
    /// <summary>What an entry costs beside its bytes, as bytes of the same node.</summary>
    public const double EntryBytes = 20_000;

    private const int DistinctSizes = 1 << 16;
    private const long LargestFile = 8L << 30;
    private const double MedianFile = 2.5e6;
    private const double SlowestSpeed = 20e6;

    private ScaleSetting(string[] names, NodeCost[] costs, double[] failsAt, ListItem[] items)
        => (Names, Costs, FailsAt, Items) = (names, costs, failsAt, items);

    public TimeSpan FailureTimeout { get; } = TimeSpan.FromSeconds(30);

    /// <summary>The names of the nodes' records.</summary>
    public string[] Names { get; }

    public NodeCost[] Costs { get; }

    /// <summary>When each node fails, in seconds; infinite for those that do not.</summary>
    public double[] FailsAt { get; }

    public ListItem[] Items { get; }

    /// <summary>Bytes, with what the entries cost as bytes.</summary>
    public static double Work(long bytes, long entries) => bytes + (entries * EntryBytes);

    /// <summary>Speeds from 20 to 200 MB/s, files of lognormal sizes, failures at any moment of the run.</summary>
    public static ScaleSetting Create(int nodes, int files, double failing, int seed)
    {
        var random = new Random(seed);
        NodeCost[] costs = [.. Enumerable.Range(0, nodes).Select(_ => SlowestSpeed * Math.Pow(10, random.NextDouble())).Select(speed => new NodeCost(speed, EntryBytes / speed))];
        Entry[] sizes = [.. Enumerable.Range(0, DistinctSizes).Select(_ => EntryOf((long)Math.Min(LargestFile, MedianFile * Math.Exp(2.2 * Normal(random)))))];
        var items = new ListItem[files];
        for (int i = 0; i < files; i++)
        {
            items[i] = new ListItem(sizes[random.Next(DistinctSizes)]);
        }

        double duration = items.Sum(item => Work(item.Entry.Size, 1)) / costs.Sum(cost => cost.Speed);
        int[] order = [.. Enumerable.Range(0, nodes)];
        random.Shuffle(order);
        double[] failsAt = [.. Enumerable.Repeat(double.PositiveInfinity, nodes)];
        foreach (int node in order.Take((int)(nodes * failing)))
        {
            failsAt[node] = random.NextDouble() * duration;
        }

        return new ScaleSetting([.. order.Select((_, i) => string.Create(CultureInfo.InvariantCulture, $"nas{i}.{random.Next():x8}"))], costs, failsAt, items);
    }

    /// <summary>Seconds that a scheduler needs who knows all failures beforehand, and can divide the work at will.</summary>
    public double Ideal()
    {
        double work = Items.Sum(item => Work(item.Entry.Size, 1));
        (double low, double high) = (0, 1e9);
        for (int round = 0; round < 100; round++)
        {
            double middle = (low + high) / 2;
            double done = Costs.Select((cost, i) => cost.Speed * Math.Min(middle, FailsAt[i])).Sum();
            (low, high) = done < work ? (middle, high) : (low, middle);
        }

        return high;
    }

    private static double Normal(Random random)
        => Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble());

    private static Entry EntryOf(long size) => new()
    {
        Source = 0,
        Path = FilePath.FromText("file"),
        Status = new FileStatus(EntryKind.File, size, default, 0, 0, 0, 1, 0),
    };
}
