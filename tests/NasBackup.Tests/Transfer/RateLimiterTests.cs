using Microsoft.Extensions.Time.Testing;
using NasBackup.Transfer;
using Xunit;

namespace NasBackup.Tests.Transfer;

public class RateLimiterTests
{
    private const long Rate = 1_000_000;

    private readonly FakeTimeProvider _time = new();

    [Theory]
    [InlineData(0, 0)]
    [InlineData(0.4, 0.4)]
    [InlineData(60, 1)]
    public void Makes_up_for_what_the_start_took_up_to_a_second(double started, double free)
    {
        var limiter = new RateLimiter(Rate, _time, TimeSpan.FromSeconds(started));

        Assert.Equal(TimeSpan.Zero, limiter.Pay((long)(free * Rate)));
        Assert.Equal(TimeSpan.FromSeconds(0.5), limiter.Pay(Rate / 2));
    }

    [Fact]
    public void Keeps_the_time_since_the_start_below_its_rate()
    {
        var limiter = new RateLimiter(Rate, _time, TimeSpan.FromSeconds(0.5));
        long moved = 0;
        while (_time.GetUtcNow() < _time.Start + TimeSpan.FromSeconds(60))
        {
            moved += 50_000;
            _time.Advance(limiter.Pay(50_000));
        }

        Assert.InRange(moved, 60 * Rate, (long)(60.5 * Rate) + 50_000);
    }

    [Fact]
    public void Saves_up_no_more_than_a_second_of_a_pause()
    {
        var limiter = new RateLimiter(Rate, _time);
        limiter.Pay(Rate);
        _time.Advance(TimeSpan.FromMinutes(10));

        Assert.Equal(TimeSpan.Zero, limiter.Pay(Rate));
        Assert.Equal(TimeSpan.FromSeconds(1), limiter.Pay(Rate));
    }

    [Fact]
    public void Does_not_limit_where_no_rate_is_given()
        => Assert.Equal(TimeSpan.Zero, new RateLimiter(null, _time).Pay(long.MaxValue / 2));
}
