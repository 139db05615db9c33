using System.Globalization;

namespace NasBackup.Sets;

/// <summary>
/// Decides which sets a policy keeps. The rules mean what restic's mean: from the newest set to the oldest, each rule keeps
/// the first set that it meets of each of its periods until it has kept as many as it may; a rule that is not used up keeps
/// the oldest set too. Periods are those of the local calendar.
/// </summary>
internal static class Retention
{
    /// <summary>What becomes of each set, the newest first. Sets of different sources are judged apart.</summary>
    /// <param name="sets">Complete sets; others are left alone and do not come out.</param>
    /// <param name="policy">The rules.</param>
    /// <param name="now">The moment (UTC); a set from the future does not count as the newest for <see cref="RetentionPolicy.Within"/>.</param>
    /// <param name="zone">The calendar's time zone.</param>
    public static IReadOnlyList<SetRetention> Apply(IEnumerable<BackupSet> sets, RetentionPolicy policy, DateTime now, TimeZoneInfo zone)
        => [.. sets
            .Where(set => set.Status is SetStatus.Completed or SetStatus.CompletedWithErrors)
            .GroupBy(set => string.Join('\n', set.Path.Order(StringComparer.Ordinal)), StringComparer.Ordinal)
            .OrderBy(group => group.Key, StringComparer.Ordinal)
            .SelectMany(group => Judge([.. group.OrderByDescending(set => set.CreatedAt).ThenByDescending(set => set.SetId, StringComparer.Ordinal)], policy, now, zone))];

    private static IEnumerable<SetRetention> Judge(BackupSet[] sets, RetentionPolicy policy, DateTime now, TimeZoneInfo zone)
    {
        Rule[] rules =
        [
            new("last", policy.Last, static (_, number) => number),
            new("hourly", policy.Hourly, static (time, _) => (time.Ticks - (time.Ticks % TimeSpan.TicksPerHour)) / TimeSpan.TicksPerHour),
            new("daily", policy.Daily, static (time, _) => DateOnly.FromDateTime(time).DayNumber),
            new("weekly", policy.Weekly, static (time, _) => (ISOWeek.GetYear(time) * 100) + ISOWeek.GetWeekOfYear(time)),
            new("monthly", policy.Monthly, static (time, _) => (time.Year * 100) + time.Month),
            new("yearly", policy.Yearly, static (time, _) => time.Year),
        ];
        DateTime newest = sets.Select(set => set.CreatedAt).Where(time => time < now).DefaultIfEmpty(DateTime.MinValue).Max();
        for (int i = 0; i < sets.Length; i++)
        {
            var reasons = new List<string>();
            DateTime local = TimeZoneInfo.ConvertTimeFromUtc(DateTime.SpecifyKind(sets[i].CreatedAt, DateTimeKind.Utc), zone);
            if (policy.IsEmpty)
            {
                reasons.Add("policy is empty");
            }

            if (policy.Within is { } within && local > within.Before(TimeZoneInfo.ConvertTimeFromUtc(DateTime.SpecifyKind(newest, DateTimeKind.Utc), zone)))
            {
                reasons.Add($"within {within}");
            }

            reasons.AddRange(rules.Where(rule => rule.Keeps(local, i, isOldest: i == sets.Length - 1)).Select(rule => rule.Name));
            if (sets[i].IsHeld)
            {
                reasons.Add("held");
            }

            if (sets[i].PinnedBy.Count > 0)
            {
                reasons.Add($"pinned by {string.Join(", ", sets[i].PinnedBy)}");
            }

            yield return new SetRetention
            {
                SetId = sets[i].SetId,
                Device = sets[i].Device,
                Action = reasons.Count > 0 ? "Keep" : "Remove",
                Reasons = reasons,
                CreatedAt = sets[i].CreatedAt,
                Path = sets[i].Path,
                Bytes = sets[i].Bytes,
            };
        }
    }

    private sealed class Rule(string name, int count, Func<DateTime, int, long> period)
    {
        private long? _last;
        private int _left = count;

        public string Name => name;

        public bool Keeps(DateTime local, int number, bool isOldest)
        {
            // -1 keeps all.
            if (_left is 0 or < -1)
            {
                return false;
            }

            long current = period(local, number);
            if (current == _last && !isOldest)
            {
                return false;
            }

            _last = current;
            _left -= _left > 0 ? 1 : 0;
            return true;
        }
    }
}
