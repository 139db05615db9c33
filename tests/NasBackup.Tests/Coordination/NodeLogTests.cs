using NasBackup.Coordination;
using NasBackup.Files;

namespace NasBackup.Tests.Coordination;

public sealed class NodeLogTests : IDisposable
{
    private static readonly FilePath Path = FilePath.FromText("logs/nasa.jsonl");

    private readonly TestShare _share = new();
    private readonly NodeLog _log;

    public NodeLogTests() => _log = new NodeLog(_share.Share);

    public void Dispose() => _share.Dispose();

    [Fact]
    public void What_was_appended_is_read_oldest_first()
    {
        _log.Append("nasA", Line("p1", seconds: 4, bytes: 20, rate: 6, cost: 0.25) with { Status = BackupStatus.Stopped });
        _log.Append("nasA", Line("p2", seconds: 0, bytes: 0));
        IReadOnlyList<NodeLogRecord> records = _log.Read("nasA");
        Assert.Equal(["p1", "p2"], records.Select(record => record.PlanId));
        NodeLogRecord first = records[0];
        Assert.Equal(
            ("nasA", TimeSpan.FromSeconds(4), 3L, 20L, 5d, 6d, TimeSpan.FromSeconds(0.25), BackupStatus.Stopped),
            (first.Node, first.Duration, first.Entries, first.Bytes, first.Speed, first.TransferRate, first.CostPerEntry, first.Status));
        Assert.Equal(new DateTime(2026, 1, 2, 3, 4, 5, DateTimeKind.Utc), first.CompletedAt);
        Assert.Equal(DateTimeKind.Utc, first.CompletedAt.Kind);
        Assert.Equal(0, records[1].Speed);
    }

    [Fact]
    public void A_node_without_a_log_has_an_empty_one()
    {
        Assert.Empty(_log.Read("nasA"));
        Assert.Equal(new LearnedCost(null, null, null), _log.Learn("nasA"));
    }

    [Fact]
    public void A_damaged_line_is_told_and_hides_no_other()
    {
        _log.Append("nasA", Line("p1"));
        long length = new FileInfo(_share.PathOf(Path)).Length;
        _log.Append("nasA", Line("p2"));
        _log.Append("nasA", Line("p3"));
        _share.Damage(Path, length + 80, "#"u8);
        var warnings = new List<string>();
        Assert.Equal(["p1", "p3"], _log.Read("nasA", warnings.Add).Select(record => record.PlanId));
        Assert.Contains("nasa.jsonl", Assert.Single(warnings), StringComparison.Ordinal);
    }

    [Fact]
    public void What_is_appended_behind_a_torn_line_is_a_line_of_its_own()
    {
        _log.Append("nasA", Line("p1"));
        _log.Append("nasA", Line("p2"));
        _share.Truncate(Path, new FileInfo(_share.PathOf(Path)).Length - 20);
        _log.Append("nasA", Line("p3"));
        Assert.Equal(["p1", "p3"], _log.Read("nasA").Select(record => record.PlanId));
    }

    [Fact]
    public void All_logs_are_read_with_the_names_as_they_are_registered()
    {
        new NodeRegistry(_share.Share).Register("NasA", null, null);
        _log.Append("nasA", Line("p1"));
        _log.Append("gone", Line("p0"));
        Assert.Equal([("gone", "p0"), ("NasA", "p1")], _log.ReadAll().Select(record => (record.Node, record.PlanId)));
    }

    [Fact]
    public void The_newest_backup_decides_what_is_learned()
    {
        _log.Append("nasA", Line("p1", seconds: 100, bytes: 1_000_000_000, rate: 10_000_000));
        _log.Append("nasA", Line("p2", seconds: 100, bytes: 2_000_000_000, rate: 20_000_000, cost: 0.01));
        Assert.Equal((20_000_000d, 0.01), (_log.Learn("nasA").TransferRate!.Value, _log.Learn("nasA").CostPerEntry!.Value));
    }

    [Theory]
    [InlineData(0, 0, 0)]
    [InlineData(60, 0, 0)]
    [InlineData(0.1, 30, 300)]
    public void A_backup_that_measured_nothing_teaches_nothing_where_an_earlier_one_did(double seconds, long bytes, double rate)
    {
        _log.Append("nasA", Line("p1", seconds: 100, bytes: 1_000_000_000, rate: 10_000_000));
        _log.Append("nasA", Line("p2", seconds, bytes, rate) with { CompletedAt = DateTime.UnixEpoch });
        LearnedCost learned = _log.Learn("nasA");
        Assert.Equal(10_000_000, learned.TransferRate);
        Assert.Equal(DateTime.UnixEpoch, learned.LastBackup);
    }

    [Fact]
    public void The_only_backup_teaches_even_if_it_was_small()
    {
        _log.Append("nasA", Line("p1", seconds: 0.1, bytes: 30, rate: 300));
        Assert.Equal(300, _log.Learn("nasA").TransferRate);
    }

    [Fact]
    public void The_mean_speed_counts_where_the_model_learned_no_rate()
    {
        _log.Append("nasA", Line("p1", seconds: 10, bytes: 50_000_000, rate: 0));
        Assert.Equal(5_000_000, _log.Learn("nasA").TransferRate);
    }

    [Fact]
    public void A_log_of_many_years_is_read_whole_and_learned_from_its_end()
    {
        _log.Append("nasA", Line("p0", rate: 1));
        byte[] line = File.ReadAllBytes(_share.PathOf(Path));
        using (FileStream file = File.OpenWrite(_share.PathOf(Path)))
        {
            for (int i = 0; i < 1000; i++)
            {
                file.Write(line);
            }
        }

        _log.Append("nasA", Line("last", seconds: 10, bytes: 50_000_000, rate: 7));
        var warnings = new List<string>();
        Assert.Equal(7, _log.Learn("nasA", warnings.Add).TransferRate);
        Assert.Equal(1001, _log.Read("nasA", warnings.Add).Count);
        Assert.Empty(warnings);
    }

    private static LogDocument Line(string plan, double seconds = 1, long bytes = 1, double rate = 1, double cost = 0)
        => new(plan, new DateTime(2026, 1, 2, 3, 4, 5, DateTimeKind.Utc), seconds, 3, bytes, rate, cost, BackupStatus.Completed);
}
