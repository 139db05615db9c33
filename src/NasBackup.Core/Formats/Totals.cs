namespace NasBackup.Formats;

/// <summary>Totals of bytes and entries that stay at the largest number instead of running over: a few files that are all hole suffice for that.</summary>
internal static class Totals
{
    /// <summary>The sum of a total, which is not negative, and another number.</summary>
    public static long Add(long total, long more) => more > 0 && total > long.MaxValue - more ? long.MaxValue : total + more;

    /// <summary>The sum of numbers that are not negative.</summary>
    public static long Total<T>(this IEnumerable<T> items, Func<T, long> number)
    {
        long total = 0;
        foreach (T item in items)
        {
            total = Add(total, number(item));
        }

        return total;
    }
}
