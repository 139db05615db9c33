namespace NasBackup.Simulation.Faults;

/// <summary>How often each thing happened, over one run or many.</summary>
internal sealed class Tally
{
    private readonly SortedDictionary<string, long> _counts = new(StringComparer.Ordinal);

    public IReadOnlyDictionary<string, long> Counts => _counts;

    public void Count(string what, long times = 1) => _counts[what] = _counts.GetValueOrDefault(what) + times;

    /// <summary>Counts something once.</summary>
    public void Count1(string what) => Count(what);

    public void Add(Tally other)
    {
        foreach ((string what, long times) in other._counts)
        {
            Count(what, times);
        }
    }
}
