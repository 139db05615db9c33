using NasBackup.Planning;

namespace NasBackup.Coordination;

/// <summary>Who gets the rest of a list: as many as it is worth, those with the least to do first.</summary>
internal static class SurvivorChoice
{
    /// <summary>More than that get nothing of one list, however long it is; who has nothing to do then asks for a part.</summary>
    public const int Most = 16;

    /// <summary>A successor is worth this much work at least; smaller rests stay together.</summary>
    private const double LeastSeconds = 0.25;

    /// <summary>Chooses among those that can take work.</summary>
    /// <param name="bytes">What the rest comes to.</param>
    /// <param name="entries">As above.</param>
    /// <param name="survivors">One at least.</param>
    public static IReadOnlyList<Survivor> Choose(double bytes, long entries, IReadOnlyList<Survivor> survivors)
    {
        double seconds = survivors.Average(survivor => survivor.Cost.Of(bytes, entries));
        int count = (int)Math.Clamp(Math.Ceiling(seconds / LeastSeconds), 1, Math.Min(Most, survivors.Count));
        return [.. survivors.OrderBy(survivor => survivor.Cost.Backlog).Take(count)];
    }
}
