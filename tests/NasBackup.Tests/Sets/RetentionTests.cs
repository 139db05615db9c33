using System.Globalization;
using NasBackup.Sets;

namespace NasBackup.Tests.Sets;

/// <summary>The rules keep what restic's forget keeps.</summary>
public sealed class RetentionTests
{
    private static readonly DateTime Now = new(2026, 6, 1, 0, 0, 0, DateTimeKind.Utc);

    [Theory]
    [InlineData("last=2", "2026-05-03 08:00,2026-05-02 08:00,2026-05-01 08:00", "2026-05-03 08:00,2026-05-02 08:00")]
    // The newest of each day, and days without a set do not count.
    [InlineData("daily=2", "2026-05-20 20:00,2026-05-20 08:00,2026-05-10 09:00,2026-05-10 08:00,2026-05-01 08:00", "2026-05-20 20:00,2026-05-10 09:00")]
    [InlineData("hourly=2", "2026-05-20 20:59,2026-05-20 20:01,2026-05-20 19:59,2026-05-20 18:00", "2026-05-20 20:59,2026-05-20 19:59")]
    // Weeks begin on Monday; 3 May 2026 is a Sunday.
    [InlineData("weekly=2", "2026-05-05 08:00,2026-05-04 08:00,2026-05-03 08:00,2026-04-27 08:00,2026-04-20 08:00", "2026-05-05 08:00,2026-05-03 08:00")]
    // The last days of a year may be in the first week of the next one.
    [InlineData("weekly=2", "2026-01-02 08:00,2025-12-29 08:00,2025-12-28 08:00,2025-12-01 08:00", "2026-01-02 08:00,2025-12-28 08:00")]
    [InlineData("monthly=2", "2026-05-20 08:00,2026-05-01 08:00,2026-04-30 08:00,2026-03-31 08:00", "2026-05-20 08:00,2026-04-30 08:00")]
    [InlineData("yearly=2", "2026-05-20 08:00,2026-01-01 08:00,2025-12-31 08:00,2024-01-01 08:00", "2026-05-20 08:00,2025-12-31 08:00")]
    // A rule that is not used up keeps the oldest set too.
    [InlineData("daily=5", "2026-05-20 20:00,2026-05-20 12:00,2026-05-20 08:00", "2026-05-20 20:00,2026-05-20 08:00")]
    [InlineData("daily=1", "2026-05-20 20:00,2026-05-20 12:00,2026-05-20 08:00", "2026-05-20 20:00")]
    [InlineData("yearly=-1", "2026-05-20 08:00,2025-05-20 08:00,2024-05-20 08:00,2024-05-19 08:00,2023-05-19 08:00", "2026-05-20 08:00,2025-05-20 08:00,2024-05-20 08:00,2023-05-19 08:00")]
    [InlineData("last=1 monthly=2", "2026-05-20 08:00,2026-05-19 08:00,2026-04-30 08:00,2026-03-31 08:00", "2026-05-20 08:00,2026-04-30 08:00")]
    [InlineData("", "2026-05-20 08:00,2026-04-20 08:00", "2026-05-20 08:00,2026-04-20 08:00")]
    public void Rules_keep_the_newest_of_each_period(string rules, string times, string kept)
        => Assert.Equal(kept, Kept(Apply(PolicyOf(rules), times.Split(','))));

    [Fact]
    public void Within_counts_back_from_the_newest_set_by_the_calendar()
    {
        var policy = new RetentionPolicy { Within = new CalendarSpan(0, 1, 0, TimeSpan.Zero) };

        Assert.Equal("2026-03-31 12:00,2026-03-01 08:00", Kept(Apply(policy, "2026-03-31 12:00", "2026-03-01 08:00", "2026-02-28 12:00", "2026-02-28 08:00")));
    }

    [Fact]
    public void A_set_from_the_future_is_not_what_within_counts_back_from()
    {
        var policy = new RetentionPolicy { Within = new CalendarSpan(0, 0, 2, TimeSpan.Zero) };

        Assert.Equal("2030-01-01 00:00,2026-05-20 08:00,2026-05-19 08:00", Kept(Apply(policy, "2030-01-01 00:00", "2026-05-20 08:00", "2026-05-19 08:00", "2026-05-10 08:00")));
    }

    [Fact]
    public void Periods_are_those_of_the_local_calendar()
    {
        var tokyo = TimeZoneInfo.CreateCustomTimeZone("t", TimeSpan.FromHours(9), "t", "t");

        // 16:00 and 14:00 UTC are two days in Tokyo.
        IReadOnlyList<SetRetention> judged = Retention.Apply([Set("2026-05-20 16:00"), Set("2026-05-20 14:00"), Set("2026-05-20 13:00")], new RetentionPolicy { Daily = 2 }, Now, tokyo);

        Assert.Equal("2026-05-20 16:00,2026-05-20 14:00", Kept(judged));
    }

    [Fact]
    public void Each_kept_set_says_which_rules_keep_it()
    {
        IReadOnlyList<SetRetention> judged = Apply(PolicyOf("last=1 daily=2 yearly=1"), "2026-05-20 08:00", "2026-05-19 08:00", "2026-05-18 08:00");

        Assert.Equal(["last", "daily", "yearly"], judged[0].Reasons);
        Assert.Equal(["daily"], judged[1].Reasons);
        Assert.Equal(("Remove", 0), (judged[2].Action, judged[2].Reasons.Count));
    }

    [Fact]
    public void Sets_of_other_sources_are_judged_apart_and_unfinished_ones_not_at_all()
    {
        IReadOnlyList<SetRetention> judged = Retention.Apply(
            [Set("2026-05-20 08:00"), Set("2026-05-19 08:00"), Set("2026-05-18 08:00", "/other"), Set("2026-05-21 08:00", "/src", SetStatus.Unfinished)],
            new RetentionPolicy { Last = 1 },
            Now,
            TimeZoneInfo.Utc);

        Assert.Equal("2026-05-18 08:00,2026-05-20 08:00", Kept(judged));
        Assert.Equal(3, judged.Count);
    }

    [Fact]
    public void Held_and_pinned_sets_are_kept_whatever_the_rules_say()
    {
        BackupSet[] sets = [Set("2026-05-20 08:00"), Set("2026-05-19 08:00", isHeld: true), Set("2026-05-18 08:00", pinnedBy: ["p"]), Set("2026-05-17 08:00")];

        IReadOnlyList<SetRetention> judged = Retention.Apply(sets, new RetentionPolicy { Last = 1 }, Now, TimeZoneInfo.Utc);

        Assert.Equal(["last", "held", "pinned by p", ""], judged.Select(set => string.Join(", ", set.Reasons)));
    }

    private static IReadOnlyList<SetRetention> Apply(RetentionPolicy policy, params string[] times)
        => Retention.Apply(times.Select(time => Set(time)).Reverse(), policy, Now, TimeZoneInfo.Utc);

    private static string Kept(IEnumerable<SetRetention> judged)
        => string.Join(",", judged.Where(set => set.Action == "Keep").Select(set => set.CreatedAt.ToString("yyyy-MM-dd HH:mm", CultureInfo.InvariantCulture)));

    private static RetentionPolicy PolicyOf(string rules)
    {
        var numbers = rules.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(rule => rule.Split('='))
            .ToDictionary(rule => rule[0], rule => int.Parse(rule[1], CultureInfo.InvariantCulture), StringComparer.Ordinal);
        return new RetentionPolicy
        {
            Last = numbers.GetValueOrDefault("last"),
            Hourly = numbers.GetValueOrDefault("hourly"),
            Daily = numbers.GetValueOrDefault("daily"),
            Weekly = numbers.GetValueOrDefault("weekly"),
            Monthly = numbers.GetValueOrDefault("monthly"),
            Yearly = numbers.GetValueOrDefault("yearly"),
        };
    }

    private static BackupSet Set(string time, string source = "/src", SetStatus status = SetStatus.Completed, bool isHeld = false, string[]? pinnedBy = null)
    {
        var created = DateTime.SpecifyKind(DateTime.ParseExact(time, "yyyy-MM-dd HH:mm", CultureInfo.InvariantCulture), DateTimeKind.Utc);
        return new BackupSet
        {
            SetId = created.ToString("yyyyMMdd'T'HHmmss'Z-aaaaaa'", CultureInfo.InvariantCulture),
            Device = "/d",
            Status = status,
            Path = [source],
            DataPath = "",
            Type = BackupType.Full,
            Layout = DeviceLayout.Mirror,
            CreatedAt = created,
            IsHeld = isHeld,
            PinnedBy = pinnedBy ?? [],
        };
    }
}
