using NasBackup.Planning;

namespace NasBackup.Tests.Planning;

/// <summary>
/// The rule by which slow nodes are relieved, in a small model: nodes that work at a speed of their own, see of the others what
/// these wrote a second ago, ask when they have nothing to do, and get the work a while later. The ideal is all work divided by
/// the speed of all.
/// </summary>
public sealed class CommonEndTests
{
    private const double Ideal = 40;

    [Fact]
    public void One_of_four_that_ask_at_once_gets_its_part_and_no_more()
    {
        // 160 s of work, three nodes as fast as five of the giver's: 16 parts, 10 s each.
        Peer[] idle = [new(0, 5), new(0, 5), new(0, 5)];

        double end = CommonEnd.Of(160, idle);

        Assert.Equal(10, end, 6);
        Assert.Equal((50.0, 1), CommonEnd.Give(160, end, [5]));
        Assert.Equal((150.0, 3), CommonEnd.Give(160, end, [5, 5, 5]));
    }

    [Fact]
    public void Who_is_busy_for_some_time_yet_counts_with_what_it_can_do_after_that()
        => Assert.Equal((100 + 4) / 2.0, CommonEnd.Of(100, [new(4, 1)]), 6);

    [Fact]
    public void Who_needs_longer_than_the_giver_does_not_keep_it_from_giving()
        => Assert.Equal(5, CommonEnd.Of(10, [new(0, 1), new(1_000_000, 1)]), 6);

    [Fact]
    public void A_giver_never_keeps_less_than_brings_it_to_the_end()
        => Assert.Equal((10.0, 1), CommonEnd.Give(30, 20, [5]));

    [Fact]
    public void Where_many_ask_for_little_the_first_of_them_get_pieces_that_are_worth_it()
    {
        (double seconds, int takers) = CommonEnd.Give(2, 0.02, [.. Enumerable.Repeat(1.0, 99)]);

        Assert.Equal(1.98, seconds, 6);
        Assert.Equal(8, takers);
    }

    [Theory]
    [InlineData(2, 1.5)]
    [InlineData(2, 5)]
    [InlineData(2, 100)]
    [InlineData(4, 1.5)]
    [InlineData(4, 2)]
    [InlineData(4, 5)]
    [InlineData(4, 20)]
    [InlineData(4, 100)]
    [InlineData(16, 2)]
    [InlineData(16, 5)]
    [InlineData(16, 100)]
    public void A_job_with_one_slow_node_ends_within_a_tenth_of_the_ideal(int nodes, double factor)
        => AssertEndsNearIdeal(nodes, [factor]);

    [Theory]
    [InlineData(4, 5, 2)]
    [InlineData(4, 5, 5)]
    [InlineData(8, 100, 5)]
    [InlineData(16, 10, 3)]
    public void A_job_with_two_slow_nodes_ends_within_a_tenth_of_the_ideal(int nodes, double first, double second)
        => AssertEndsNearIdeal(nodes, [first, second]);

    private static void AssertEndsNearIdeal(int nodes, double[] slow)
    {
        var random = new Random(nodes);
        double[] planned = [.. Enumerable.Range(0, nodes).Select(i => 1 - (0.6 * i / nodes))];

        // What the log said is right within five percent but for the slow ones, so the others are through one after the other.
        double[] real = [.. planned.Select((speed, i) => speed * (0.95 + (0.1 * random.NextDouble())) / (i < slow.Length ? slow[i] : 1))];
        double work = Ideal * real.Sum();
        double took = new Model(real, [.. planned.Select(speed => work * speed / planned.Sum())]).Run();

        Assert.InRange(took, Ideal, Ideal * 1.1);
    }

    /// <param name="real">Work per second of each node, as it is.</param>
    /// <param name="left">Work that each has.</param>
    private sealed class Model(double[] real, double[] left)
    {
        private const double Step = 0.05;
        private const double RecordInterval = 1;
        private const double Way = 0.5;
        private const double Patience = 3;
        private const double LeastSecondsLeft = 1.5;
        private const double LeastSecondsGiven = 0.5;

        private readonly double[] _written = [.. left];
        private readonly double[] _asked = [.. left.Select(_ => double.NegativeInfinity)];
        private readonly int?[] _asks = new int?[left.Length];
        private readonly List<(double At, int To, double Work)> _onTheWay = [];

        /// <summary>Until all is done.</summary>
        public double Run()
        {
            for (double now = 0; ; now += Step)
            {
                if (left.All(work => work <= 0) && _onTheWay.Count == 0)
                {
                    return now;
                }

                for (int i = 0; i < left.Length; i++)
                {
                    left[i] = Math.Max(0, left[i] - (real[i] * Step));
                    if (left[i] <= 0 || now % RecordInterval < Step)
                    {
                        _written[i] = left[i];
                    }
                }

                foreach ((double at, int to, double work) in _onTheWay.Where(given => given.At <= now).ToArray())
                {
                    left[to] += work;
                    _written[to] = left[to];
                    _onTheWay.Remove((at, to, work));
                }

                Ask(now);
                for (int i = 0; i < left.Length; i++)
                {
                    Grant(i, now);
                }
            }
        }

        private double SecondsLeft(int node) => _written[node] / real[node];

        private void Ask(double now)
        {
            for (int i = 0; i < left.Length; i++)
            {
                if (left[i] <= 0 && now - _asked[i] >= Patience && !_onTheWay.Any(given => given.To == i))
                {
                    int slowest = Enumerable.Range(0, left.Length).MaxBy(SecondsLeft);
                    if (SecondsLeft(slowest) >= LeastSecondsLeft)
                    {
                        (_asks[i], _asked[i]) = (slowest, now);
                    }
                }
            }
        }

        private void Grant(int giver, double now)
        {
            int[] askers = [.. Enumerable.Range(0, left.Length).Where(i => _asks[i] == giver && now - _asked[i] >= Way)];
            double own = left[giver] / real[giver];
            if (askers.Length == 0 || own < LeastSecondsLeft)
            {
                return;
            }

            double end = CommonEnd.Of(own, Enumerable.Range(0, left.Length).Where(i => i != giver).Select(i => new Peer(SecondsLeft(i), real[i] / real[giver])));
            (double seconds, int takers) = CommonEnd.Give(own, end, [.. askers.Select(i => real[i] / real[giver])]);
            double speeds = askers.Take(takers).Sum(i => real[i]);
            foreach (int asker in askers)
            {
                _asks[asker] = null;
            }

            if (seconds < LeastSecondsGiven)
            {
                return;
            }

            foreach (int asker in askers.Take(takers))
            {
                double work = seconds * real[giver] * real[asker] / speeds;
                left[giver] -= work;
                _asked[asker] = double.NegativeInfinity;
                _onTheWay.Add((now + Way, asker, work));
            }

            _written[giver] = left[giver];
        }
    }
}
