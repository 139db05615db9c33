namespace NasBackup.Coordination;

/// <summary>How a node watches the others.</summary>
/// <param name="Self">The name of its own record.</param>
/// <param name="WatchAllUpTo">Up to so many living nodes all watch all; above, each watches its arc of the ring.</param>
/// <param name="IsQuiet">Whether a record is looked at around the estimated end of its work only (F21).</param>
/// <param name="SecondsLeft">What a record's work is estimated to need still, in seconds.</param>
internal sealed record WatchRules(string Self, int WatchAllUpTo, bool IsQuiet = false, Func<RecordDocument, double>? SecondsLeft = null);

/// <summary>
/// Which records are looked at, and when: all; or those on this node's arc of the ring, and those that something depends
/// on for a while. What is looked at only now and then is looked at all the time as soon as it shows no progress: a series
/// of reads that accuses has no gap. Not for several threads at once.
/// </summary>
internal sealed class WatchList(WatchRules rules, TimeSpan failureTimeout, TimeProvider time)
{
    /// <summary>Records of the arc are read that often at most, whatever else happens.</summary>
    private static readonly TimeSpan MostPace = TimeSpan.FromSeconds(3);

    private readonly WatchRing _ring = new(rules.Self);
    private readonly Dictionary<string, long> _until = new(StringComparer.Ordinal);
    private WatchArc _arc;
    private long? _recruitSince;

    /// <summary>Whether only some are looked at.</summary>
    public bool IsSparse { get; private set; }

    /// <inheritdoc cref="WatchArc.IsFirst"/>
    public bool IsFirst => !IsSparse || _arc.IsFirst;

    /// <summary>Names of all records that are known, without one's own.</summary>
    public IReadOnlyCollection<string> Names => _ring.Names;

    private TimeSpan Pace { get; } = failureTimeout / 10 < MostPace ? failureTimeout / 10 : MostPace;

    /// <summary>Four beats of a record: who lives is seen moving in that time.</summary>
    private TimeSpan Patience { get; } = TimeSpan.FromSeconds(4 * Math.Min(1, failureTimeout.TotalSeconds / 4));

    public void Add(string name) => _ring.Add(name);

    /// <summary>Looks at a record for some time at least.</summary>
    public void Add(string name, long now, TimeSpan duration)
    {
        if (name != rules.Self)
        {
            long until = now + (long)(duration.TotalSeconds * time.TimestampFrequency);
            _until[name] = Math.Max(until, _until.GetValueOrDefault(name, until));
        }
    }

    /// <summary>Whether a record is among those that are looked at.</summary>
    public bool Holds(string name) => !IsSparse || _arc.Holds(name) || _until.ContainsKey(name);

    /// <summary>Whether it is this node's part to watch that record, or what stands at the place of that name.</summary>
    public bool IsOnArc(string name) => !IsSparse || _arc.Holds(name);

    /// <summary>The records that are to be read now.</summary>
    public IReadOnlyList<string> Due(IReadOnlyDictionary<string, Observation> seen, long now)
    {
        IsSparse = rules.IsQuiet || _ring.Names.Count(name => !seen.TryGetValue(name, out Observation? known) || FailureDetector.IsLiving(known)) >= rules.WatchAllUpTo;
        foreach (string name in _until.Where(pair => pair.Value < now && !IsStill(seen.GetValueOrDefault(pair.Key), failureTimeout / 4)).Select(pair => pair.Key).ToArray())
        {
            _until.Remove(name);
        }

        bool HasLeft(string name) => seen.TryGetValue(name, out Observation? known) && known.HasLeft;
        if (!IsSparse)
        {
            return [.. _ring.Names.Union(_until.Keys).Where(name => !HasLeft(name)).Order(StringComparer.Ordinal)];
        }

        // Who is silent is counted out early, so that who stands before it is watched when it is held for failed.
        _arc = _ring.Arc(name => !seen.TryGetValue(name, out Observation? known) || (FailureDetector.IsLiving(known) && !IsStill(known, failureTimeout / 2)));
        return
        [
            .. _ring.Names
                .Where(name => _arc.Holds(name) && !_until.ContainsKey(name) && (!seen.TryGetValue(name, out Observation? known) || known.NotBefore <= now))
                .Concat(_until.Keys)
                .Where(name => !HasLeft(name))
                .Order(StringComparer.Ordinal),
        ];

        bool IsStill(Observation? known, TimeSpan duration)
            => known is { HasLeft: false } && time.GetElapsedTime(known.Since, known.Read) > duration && time.GetElapsedTime(known.Read, now) <= failureTimeout / 4;
    }

    /// <summary>The first living ones behind one's own place.</summary>
    public IReadOnlyList<string> Watchers(IReadOnlyDictionary<string, Observation> seen)
        => [.. _ring.From(_ring.Place).Where(name => !seen.TryGetValue(name, out Observation? known) || FailureDetector.IsLiving(known)).Take(WatchRing.Watchers)];

    /// <summary>When a record that was just read is to be looked at next.</summary>
    /// <param name="read">What was read.</param>
    /// <param name="secondsLeft">How long its work is estimated to take still.</param>
    /// <param name="now">The runtime's timestamp.</param>
    public void Plan(Observation read, double secondsLeft, long now)
    {
        TimeSpan next = !read.Progressed ? TimeSpan.Zero : rules.IsQuiet ? Estimate(read.Record, secondsLeft) : Pace * 0.9;
        read.NotBefore = now + (long)(next.TotalSeconds * time.TimestampFrequency);
    }

    /// <summary>Looks at more records for a while, in the order of the ring from a random place on.</summary>
    /// <param name="count">How many more are wanted.</param>
    /// <param name="seen">What is known of all.</param>
    /// <param name="now">The runtime's timestamp.</param>
    /// <param name="place">A random place.</param>
    /// <returns>Whether no more are wanted, or who lives must have been seen moving by now.</returns>
    public bool Recruit(int count, IReadOnlyDictionary<string, Observation> seen, long now, Func<ulong> place)
    {
        if (count <= 0 || !IsSparse)
        {
            return true;
        }

        if (_recruitSince is not { } since || time.GetElapsedTime(since, now) > Patience * 3)
        {
            _recruitSince = now;
            Sample(count, seen, now, place());
            return false;
        }

        return time.GetElapsedTime(since, now) >= Patience;
    }

    /// <summary>Looks at some more records for a while, in the order of the ring from a place on.</summary>
    public void Sample(int count, IReadOnlyDictionary<string, Observation> seen, long now, ulong place)
    {
        foreach (string name in _ring.From(place)
            .Where(name => !_until.ContainsKey(name) && (rules.IsQuiet || !_arc.Holds(name)) && (!seen.TryGetValue(name, out Observation? known) || FailureDetector.IsLiving(known)))
            .Take(count).ToArray())
        {
            Add(name, now, Patience * 3);
        }
    }

    /// <summary>F21: when the work will be done, by its counter and pace. Who only waits is looked at now and then.</summary>
    private TimeSpan Estimate(RecordDocument record, double secondsLeft)
    {
        TimeSpan estimate = record is { State: NodeState.Working, Counters.Count: > 0 }
            ? TimeSpan.FromSeconds(Math.Min(secondsLeft, TimeSpan.FromDays(1).TotalSeconds))
            : record.State is NodeState.Idle ? failureTimeout * 2 : failureTimeout;
        return estimate > Pace ? estimate : Pace;
    }
}
