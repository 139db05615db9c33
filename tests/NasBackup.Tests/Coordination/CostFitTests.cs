using NasBackup.Coordination;

namespace NasBackup.Tests.Coordination;

public sealed class CostFitTests
{
    [Theory]
    [InlineData(200e6, 0.002)]
    [InlineData(1e6, 0.5)]
    [InlineData(10e9, 0.00005)]
    [InlineData(50e6, 0)]
    public void Speed_and_cost_are_found_from_exact_samples(double speed, double cost)
    {
        CostFit fit = Feed(speed, cost, noise: 0, samples: 40);
        Assert.Equal(speed, fit.TransferRate, speed * 0.001);
        Assert.Equal(cost, fit.CostPerEntry, Math.Max(cost, 0.00001) * 0.01);
    }

    [Theory]
    [InlineData(200e6, 0.002)]
    [InlineData(20e6, 0.01)]
    public void Noise_of_a_fifth_shifts_them_by_little(double speed, double cost)
    {
        CostFit fit = Feed(speed, cost, noise: 0.2, samples: 200);
        Assert.Equal(speed, fit.TransferRate, speed * 0.15);
        Assert.Equal(cost, fit.CostPerEntry, cost * 0.15);
    }

    [Fact]
    public void Intervals_of_the_same_mix_give_the_mean_speed_and_no_cost()
    {
        var fit = new CostFit();
        for (int i = 1; i <= 20; i++)
        {
            fit.Add(i, i * 1_000_000, i * 10);
        }

        Assert.Equal((1_000_000, 0), (fit.TransferRate, fit.CostPerEntry));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    [InlineData(5)]
    [InlineData(6)]
    public void Intervals_of_nearly_the_same_mix_tell_no_cost_from_their_noise(int seed)
    {
        var random = new Random(seed);
        var fit = new CostFit();
        double seconds = 0;
        for (int i = 0; i < 50; i++)
        {
            double noisy = 1 + (0.1 * random.NextDouble());
            fit.Add(noisy, 1_000_000 + random.Next(10_000), 100 + random.Next(2));
            seconds += noisy;
        }

        Assert.Equal(50_000_000 / seconds, fit.TransferRate, 10_000.0);
        Assert.Equal(0, fit.CostPerEntry);
    }

    [Fact]
    public void Two_intervals_are_too_few_to_tell_bytes_from_entries()
    {
        var fit = new CostFit();
        fit.Add(1, 1_000_000, 1);
        fit.Add(1, 1000, 1000);
        Assert.Equal((1_001_000 / 2.0, 0), (fit.TransferRate, fit.CostPerEntry));
    }

    [Fact]
    public void A_cost_that_would_be_negative_is_none_and_the_speed_is_the_mean()
    {
        var fit = new CostFit();

        // Entries seem to give time back.
        fit.Add(10, 1_000_000, 1);
        fit.Add(5, 1_000_000, 500);
        fit.Add(10, 1_000_000, 2);
        Assert.Equal(3_000_000 / 25.0, fit.TransferRate, 0.001);
        Assert.Equal(0, fit.CostPerEntry);
    }

    [Fact]
    public void Where_bytes_seem_to_be_free_the_speed_is_a_plausible_one_and_entries_have_their_cost()
    {
        var fit = new CostFit();
        fit.Add(1.0, 10_000, 100);
        fit.Add(0.99, 20_000, 100);
        fit.Add(2.0, 10_000, 200);
        Assert.Equal(Node.DefaultSpeed, fit.TransferRate, 1);
        Assert.Equal(0.01, fit.CostPerEntry, 0.0002);
    }

    [Fact]
    public void Entries_without_bytes_teach_a_cost_and_no_speed()
    {
        var fit = new CostFit();
        fit.Add(1, 0, 500);
        fit.Add(1, 0, 500);
        Assert.Equal((0, 0.002), (fit.TransferRate, fit.CostPerEntry));
    }

    [Fact]
    public void The_time_of_an_interval_that_committed_nothing_counts_with_the_next()
    {
        var fit = new CostFit();
        fit.Add(9, 0, 0);
        fit.Add(1, 1000, 1);
        Assert.Equal(100, fit.TransferRate);
        Assert.Equal(10, fit.Seconds);
    }

    [Fact]
    public void Without_samples_nothing_is_claimed()
    {
        var fit = new CostFit();
        Assert.Equal((0, 0, 0), (fit.TransferRate, fit.CostPerEntry, fit.Seconds));
        fit.Add(0, 0, 0);
        fit.Add(double.NaN, 5, 5);
        fit.Add(double.PositiveInfinity, 5, 5);
        fit.Add(-1, 5, 5);
        fit.Add(1, -5, 5);
        Assert.Equal((0, 0, 0), (fit.TransferRate, fit.CostPerEntry, fit.Seconds));
    }

    [Fact]
    public void Whatever_is_fed_speed_and_cost_stay_finite_and_not_negative()
    {
        var random = new Random(7);
        for (int run = 0; run < 2000; run++)
        {
            var fit = new CostFit();
            bool any = false;
            for (int i = random.Next(1, 8); i > 0; i--)
            {
                double seconds = random.Next(3) switch { 0 => 1e-9, 1 => random.NextDouble(), _ => 1e6 * random.NextDouble() };
                long bytes = random.Next(3) switch { 0 => 0, 1 => random.Next(100), _ => random.NextInt64(1L << 50) };
                fit.Add(seconds, bytes, random.Next(3) == 0 ? 0 : random.NextInt64(1 << random.Next(31)));
                any |= bytes > 0;
            }

            (double speed, double cost) = fit.Solve();
            Assert.True(double.IsFinite(speed) && (any ? speed > 0 : speed == 0), $"run {run}: speed {speed}");
            Assert.True(double.IsFinite(cost) && cost >= 0, $"run {run}: cost {cost}");
        }
    }

    /// <summary>Intervals of about a second with mixes from large files alone to small files alone.</summary>
    private static CostFit Feed(double speed, double cost, double noise, int samples)
    {
        var random = new Random(42);
        var fit = new CostFit();
        for (int i = 0; i < samples; i++)
        {
            double part = random.NextDouble();
            long bytes = (long)(part * speed);
            long entries = cost == 0 ? random.Next(1000) : 1 + (long)((1 - part) / cost);
            double seconds = (bytes / speed) + (entries * cost);
            fit.Add(seconds * (1 + (noise * ((2 * random.NextDouble()) - 1))), bytes, entries);
        }

        return fit;
    }
}
