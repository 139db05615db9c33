using Microsoft.Extensions.Time.Testing;
using NasBackup.Transfer;
using Xunit;

namespace NasBackup.Tests.Transfer;

public class RateLimiterTests
{
    private const long Rate = 1_000_000;

    private readonly FakeTimeProvider _time = new();

    [Fact]
    public void Gives_a_second_worth_at_once_and_makes_wait_for_what_comes_after()
    {
        var limiter = new RateLimiter(Rate, _time);

        Assert.Equal(TimeSpan.Zero, limiter.Pay(Rate));
        Assert.Equal(TimeSpan.FromSeconds(0.5), limiter.Pay(Rate / 2));
    }

    [Fact]
    public void Keeps_any_span_below_its_rate_and_a_second()
    {
        var limiter = new RateLimiter(Rate, _time);
        long moved = 0;
        while (_time.GetUtcNow() < _time.Start + TimeSpan.FromSeconds(60))
        {
            moved += 50_000;
            _time.Advance(limiter.Pay(50_000));
        }

        Assert.InRange(moved, 60 * Rate, 61 * Rate + 50_000);
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
