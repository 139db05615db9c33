using System.Text;
using NasBackup.Formats;

namespace NasBackup.Coordination;

/// <summary>
/// Who watches whom where there are too many nodes for all to watch all. Records stand on a ring, each at a place that is
/// the hash of its name; what stands at a place is watched by the first three living nodes behind it. So each node watches
/// the arc from the third living node before it up to itself, with all dead ones on it: when a node dies, those behind it
/// reach farther back, and nothing is left unwatched. Who is held for living may differ from node to node; then one is
/// watched by a few more or a few others. Not for several threads at once.
/// </summary>
/// <param name="self">The name of one's own record.</param>
internal sealed class WatchRing(string self)
{
    /// <summary>How many watch each.</summary>
    public const int Watchers = 3;

    /// <summary>Up to so many nodes all watch all.</summary>
    public const int WatchAllUpTo = 16;

    private readonly SortedDictionary<ulong, string> _byPlace = [];
    private readonly Dictionary<string, ulong> _places = new(StringComparer.Ordinal);
    private KeyValuePair<ulong, string>[]? _order;

    /// <summary>One's own place.</summary>
    public ulong Place { get; } = PlaceOf(self);

    /// <summary>Names of all records that are known, without one's own.</summary>
    public IReadOnlyCollection<string> Names => _places.Keys;

    /// <summary>Where a name stands.</summary>
    public static ulong PlaceOf(string name) => Hash128.Of(Encoding.UTF8.GetBytes(name)).High;

    /// <summary>Takes up the name of a record.</summary>
    public void Add(string name)
    {
        if (name != self && _places.TryAdd(name, PlaceOf(name)))
        {
            _byPlace.TryAdd(_places[name], name);
            _order = null;
        }
    }

    /// <summary>What this node watches.</summary>
    /// <param name="isLiving">Who is held for living, and so watches what is before it.</param>
    public WatchArc Arc(Func<string, bool> isLiving)
    {
        KeyValuePair<ulong, string>[] order = _order ??= [.. _byPlace];
        int start = Array.FindLastIndex(order, member => member.Key < Place);
        int living = 0;
        for (int step = 0; step < order.Length; step++)
        {
            int at = ((start - step) % order.Length + order.Length) % order.Length;
            if (isLiving(order[at].Value) && ++living == Watchers)
            {
                return new WatchArc(Place, unchecked(Place - order[at].Key), IsFirst: order[at].Key > Place);
            }
        }

        return new WatchArc(Place, ulong.MaxValue, IsFirst: true);
    }

    /// <summary>Other members, from a place on; for whoever needs some and not always the same.</summary>
    public IEnumerable<string> From(ulong place)
    {
        KeyValuePair<ulong, string>[] order = _order ??= [.. _byPlace];
        int start = Array.FindIndex(order, member => member.Key >= place);
        for (int step = 0; step < order.Length; step++)
        {
            yield return order[(Math.Max(0, start) + step) % order.Length].Value;
        }
    }
}

/// <summary>The part of the ring that a node watches.</summary>
/// <param name="End">Its own place.</param>
/// <param name="Length">How far it reaches back from there.</param>
/// <param name="IsFirst">Whether the node is one of the first three living ones, counted from place 0; these look after what
/// concerns all: whether everything is done.</param>
internal readonly record struct WatchArc(ulong End, ulong Length, bool IsFirst)
{
    /// <summary>Whether what stands at that name's place is on it.</summary>
    public bool Holds(string name) => unchecked(End - WatchRing.PlaceOf(name)) <= Length;
}
