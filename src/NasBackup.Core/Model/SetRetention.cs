namespace NasBackup;

/// <summary>Which sets are kept, with the meaning that restic gives to the rules of its command forget. A number of -1 keeps
/// all of the kind; 0 means that there is no such rule.</summary>
public sealed record RetentionPolicy
{
    /// <summary>The newest sets, that many.</summary>
    public int Last { get; init; }

    /// <summary>The newest set of each of the last hours that have any.</summary>
    public int Hourly { get; init; }

    /// <summary>The newest set of each of the last days that have any.</summary>
    public int Daily { get; init; }

    /// <summary>The newest set of each of the last weeks (ISO 8601, from Monday) that have any.</summary>
    public int Weekly { get; init; }

    /// <summary>The newest set of each of the last months that have any.</summary>
    public int Monthly { get; init; }

    /// <summary>The newest set of each of the last years that have any.</summary>
    public int Yearly { get; init; }

    /// <summary>All sets that are not older than that, counted back from the newest one; null for no such rule.</summary>
    public CalendarSpan? Within { get; init; }

    /// <summary>Whether there is no rule at all; then everything is kept.</summary>
    public bool IsEmpty => this == new RetentionPolicy();
}

/// <summary>A span of the calendar: a month is as long as the month is.</summary>
public readonly record struct CalendarSpan(int Years, int Months, int Days, TimeSpan Rest)
{
    /// <summary>The moment that lies that far before another.</summary>
    public DateTime Before(DateTime time)
    {
        try
        {
            return time.AddYears(-Years).AddMonths(-Months).AddDays(-Days) - Rest;
        }
        catch (ArgumentOutOfRangeException)
        {
            return DateTime.MinValue;
        }
    }

    /// <inheritdoc/>
    public override string ToString()
    {
        string text = string.Concat(Part(Years, "y"), Part(Months, "m"), Part(Days, "d"));
        return Rest == TimeSpan.Zero && text.Length > 0 ? text
            : Rest.Ticks % TimeSpan.TicksPerHour == 0 ? $"{text}{(long)Rest.TotalHours}h"
            : $"{text}{Rest:c}";

        static string Part(int number, string unit) => number == 0 ? "" : $"{number}{unit}";
    }
}

/// <summary>What a policy makes of one set, and why.</summary>
public sealed class SetRetention
{
    public required string SetId { get; init; }

    public required string Device { get; init; }

    /// <summary>Keep, Remove, or Removed when that has been done.</summary>
    public required string Action { get; init; }

    /// <summary>The rules that keep it: last, hourly, daily, weekly, monthly, yearly, within SPAN, held, pinned; empty where none does.</summary>
    public required IReadOnlyList<string> Reasons { get; init; }

    /// <summary>When the backup was asked for (UTC); the rules look at it as local time.</summary>
    public required DateTime CreatedAt { get; init; }

    /// <summary>The set's sources; sets of the same sources are judged together.</summary>
    public required IReadOnlyList<string> Path { get; init; }

    public long Bytes { get; init; }

    /// <inheritdoc/>
    public override string ToString() => $"{Action} {SetId}";
}
