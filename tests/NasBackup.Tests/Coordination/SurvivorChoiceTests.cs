using System.Globalization;
using NasBackup.Coordination;
using NasBackup.Planning;

namespace NasBackup.Tests.Coordination;

/// <summary>Who gets the rest of a list (F15).</summary>
public sealed class SurvivorChoiceTests
{
    [Theory]
    [InlineData(1000, 1)]
    [InlineData(1_000_000, 4)]
    [InlineData(1_000_000_000, 16)]
    public void As_many_as_it_is_worth_and_sixteen_at_most(long bytes, int count)
    {
        Survivor[] survivors = [.. Enumerable.Range(0, 100).Select(i => SurvivorOf(i, backlog: i))];

        IReadOnlyList<Survivor> chosen = SurvivorChoice.Choose(bytes, 1, survivors);

        Assert.Equal(count, chosen.Count);
        Assert.Equal(survivors.Take(count), chosen);
    }

    [Fact]
    public void Those_with_the_least_to_do_come_first()
        => Assert.Equal("n3", SurvivorChoice.Choose(10, 1, [.. Enumerable.Range(0, 4).Select(i => SurvivorOf(i, backlog: 10 - i))]).Single().Node);

    private static Survivor SurvivorOf(int number, double backlog)
        => new(string.Create(CultureInfo.InvariantCulture, $"n{number}"), string.Create(CultureInfo.InvariantCulture, $"{number:x8}"), new NodeCost(1_000_000, Backlog: backlog));
}
