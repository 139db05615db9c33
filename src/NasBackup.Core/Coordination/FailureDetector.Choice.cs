namespace NasBackup.Coordination;

/// <content>Whom it looks at, where not at all: on the ring, and for those who wait for somebody.</content>
internal sealed partial class FailureDetector
{
    /// <summary>Names of the records of those who watch this node, as far as is known.</summary>
    public IReadOnlyList<string> Watchers
    {
        get
        {
            lock (_gate)
            {
                return _watch.Watchers(_seen);
            }
        }
    }

    /// <summary>Looks at a record from now on, for some time at least, and until it moves where it does not.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="duration">How long.</param>
    public void Watch(string name, TimeSpan duration)
    {
        lock (_gate)
        {
            _watch.Add(name, _time.GetTimestamp(), duration);
        }
    }

    /// <summary>Whether a record is among those that this node looks at, so that it judges its owner.</summary>
    /// <param name="name">Its name, or that of a node which has none.</param>
    public bool Watches(string name)
    {
        lock (_gate)
        {
            return _watch.Holds(name);
        }
    }

    /// <inheritdoc cref="WatchList.IsOnArc"/>
    public bool IsOnArc(string name)
    {
        lock (_gate)
        {
            return _watch.IsOnArc(name);
        }
    }

    /// <summary>Whether this node is to look after what concerns all; see <see cref="WatchArc.IsFirst"/>.</summary>
    public bool IsFirst
    {
        get
        {
            lock (_gate)
            {
                return _watch.IsFirst;
            }
        }
    }

    /// <summary>Looks at some more records for a while, until so many are seen moving.</summary>
    /// <returns>Whether that many move, or it has been tried long enough.</returns>
    public bool Recruit(int count)
    {
        int known = Candidates.Count;
        lock (_gate)
        {
            return _watch.Recruit(count - known, _seen, _time.GetTimestamp(), () => WatchRing.PlaceOf(folder.Share.Tokens.Next(8)));
        }
    }

    /// <summary>Looks at some more records for a while, whoever is enough already.</summary>
    public void Sample(int count)
    {
        ulong place = WatchRing.PlaceOf(folder.Share.Tokens.Next(8));
        lock (_gate)
        {
            _watch.Sample(count, _seen, _time.GetTimestamp(), place);
        }
    }

    /// <summary>A record that is not known to have failed or left, of a node's name, or null.</summary>
    public Observation? FindLiving(string node) => OfNode(node).FirstOrDefault(IsLiving);

    /// <summary>All that is known of a node's incarnations; they are looked at from now on.</summary>
    public IReadOnlyList<Observation> OfNode(string node)
    {
        if (IsSparse)
        {
            lock (_gate)
            {
                foreach (string name in _watch.Names.Where(name => IsOf(name, node)).ToArray())
                {
                    _watch.Add(name, _time.GetTimestamp(), failureTimeout / 2);
                }
            }
        }

        return [.. All.Where(seen => seen.Record.Node.Equals(node, StringComparison.OrdinalIgnoreCase))];
    }

    /// <summary>Whether there is a record of that node that nobody has tried to read yet.</summary>
    public bool HasUnread(string node)
    {
        lock (_gate)
        {
            return _watch.IsSparse && _watch.Names.Any(name => IsOf(name, node) && !_seen.ContainsKey(name) && !_absent.ContainsKey(name));
        }
    }

    private static bool IsOf(string name, string node)
        => name.Length > node.Length && name[node.Length] == '.' && name.IndexOf('.', node.Length + 1) < 0 && name.StartsWith(node, StringComparison.OrdinalIgnoreCase);
}
