using System.Globalization;
using NasBackup.Coordination;

namespace NasBackup.Tests.Coordination;

/// <summary>Who watches whom where not all watch all.</summary>
public sealed class WatchRingTests
{
    [Theory]
    [InlineData(17, 0)]
    [InlineData(100, 30)]
    [InlineData(1000, 0)]
    [InlineData(1000, 300)]
    [InlineData(1000, 996)]
    public void Everybody_is_watched_by_three_living_nodes_whoever_has_died(int nodes, int dead)
    {
        string[] names = [.. Enumerable.Range(0, nodes).Select(Name)];
        HashSet<string> gone = [.. names.OrderBy(WatchRing.PlaceOf).Where((_, i) => (i * 7919) % nodes < dead)];
        var watched = names.ToDictionary(name => name, _ => 0, StringComparer.Ordinal);
        var loads = new List<int>();
        foreach (string self in names.Where(name => !gone.Contains(name)))
        {
            WatchArc arc = RingOf(self, names).Arc(name => !gone.Contains(name));
            string[] mine = [.. names.Where(name => name != self && arc.Holds(name))];
            Array.ForEach(mine, name => watched[name]++);
            loads.Add(mine.Count(name => !gone.Contains(name)));
        }

        int living = nodes - dead;
        Assert.All(watched, pair => Assert.Equal(Math.Min(WatchRing.Watchers, gone.Contains(pair.Key) ? living : living - 1), pair.Value));
        Assert.All(loads, load => Assert.Equal(Math.Min(WatchRing.Watchers, living - 1), load));
    }

    [Fact]
    public void Three_of_all_living_nodes_look_after_what_concerns_all()
    {
        string[] names = [.. Enumerable.Range(0, 200).Select(Name)];
        HashSet<string> gone = [.. names.OrderBy(WatchRing.PlaceOf).Take(50)];

        Assert.Equal(WatchRing.Watchers, names.Count(self => !gone.Contains(self) && RingOf(self, names).Arc(name => !gone.Contains(name)).IsFirst));
    }

    [Fact]
    public void A_list_that_nobody_has_claimed_is_watched_by_the_place_of_its_nodes_name()
    {
        string[] names = [.. Enumerable.Range(0, 100).Select(Name)];

        Assert.Equal(WatchRing.Watchers, names.Count(self => RingOf(self, names).Arc(static _ => true).Holds("a node that never came")));
    }

    private static string Name(int number) => string.Create(CultureInfo.InvariantCulture, $"nas{number}.{number:x8}");

    private static WatchRing RingOf(string self, string[] names)
    {
        var ring = new WatchRing(self);
        Array.ForEach(names, ring.Add);
        return ring;
    }
}
