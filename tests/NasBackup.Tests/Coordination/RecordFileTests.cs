using NasBackup.Coordination;
using NasBackup.Files;

namespace NasBackup.Tests.Coordination;

public sealed class RecordFileTests : IDisposable
{
    private static readonly FilePath Path = FilePath.FromText("a.1");

    private readonly TestShare _share = new();

    public void Dispose() => _share.Dispose();

    [Fact]
    public void The_newest_record_is_read()
    {
        Write(1, 2, 3);
        Assert.Equal(3, RecordFile.Read(_share.Tree, Path)!.Beat);
        Assert.Equal(2 * RecordFile.PlaceLength, new FileInfo(_share.PathOf(Path)).Length);
    }

    [Fact]
    public void The_newest_record_is_read_whatever_its_texts_say()
    {
        using var file = new RecordFile(_share.Tree, Path);
        for (long beat = 9; beat <= 11; beat++)
        {
            file.Write(TestShare.RecordOf("a", "1", beat) with { Host = "\"beat\":99,", CurrentFile = $"\"beat\":{20 - beat}," });
            Assert.Equal(beat, RecordFile.Read(_share.Tree, Path)!.Beat);
        }
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public void What_is_whole_and_no_record_leaves_the_one_in_the_other_place(int place)
    {
        Write(1, 2);
        _share.Damage(Path, place * RecordFile.PlaceLength, [.. NasBackup.Formats.SealedJson.Seal("{\"beat\":3,\"plan\":4}"u8), .. new byte[RecordFile.PlaceLength / 2]]);
        Assert.Equal(place == 0 ? 1 : 2, RecordFile.Read(_share.Tree, Path)!.Beat);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public void A_record_that_was_torn_while_written_leaves_the_one_before_it(int beatsBefore)
    {
        long[] beats = [.. Enumerable.Range(1, 2 + beatsBefore).Select(beat => (long)beat)];
        Write(beats);
        long place = beats.Length % 2 * RecordFile.PlaceLength;
        _share.Damage(Path, place + 100, new byte[50]);
        Assert.Equal(beats[^1] - 1, RecordFile.Read(_share.Tree, Path)!.Beat);
    }

    [Fact]
    public void A_file_that_was_cut_in_the_second_place_still_tells_the_first()
    {
        Write(1, 2);
        _share.Truncate(Path, RecordFile.PlaceLength + 40);
        Assert.Equal(2, RecordFile.Read(_share.Tree, Path)!.Beat);
    }

    [Fact]
    public void The_first_record_has_the_room_of_both_places_and_looks_like_no_damage()
    {
        Write(1);
        Assert.Equal(2 * RecordFile.PlaceLength, new FileInfo(_share.PathOf(Path)).Length);
        Assert.Equal(1, RecordFile.Read(_share.Tree, Path)!.Beat);
        Assert.Null(RecordFile.DamageOf(_share.Tree, Path));
        _share.Damage(Path, 100, new byte[50]);
        Assert.Equal("one of its two places is not whole", RecordFile.DamageOf(_share.Tree, Path));
    }

    [Fact]
    public void A_first_record_that_was_written_in_part_is_nobodys()
    {
        Write(1);
        _share.Truncate(Path, (2 * RecordFile.PlaceLength) - 1);
        Assert.Null(RecordFile.Read(_share.Tree, Path));
    }

    [Fact]
    public void With_both_places_torn_there_is_no_record_rather_than_a_wrong_one()
    {
        Write(1, 2);
        _share.Damage(Path, 100, new byte[50]);
        _share.Damage(Path, RecordFile.PlaceLength + 100, new byte[50]);
        Assert.Null(RecordFile.Read(_share.Tree, Path));
    }

    [Fact]
    public void A_reader_never_sees_a_gap_or_a_step_back_while_the_owner_writes()
    {
        bool isOver = false;
        using var file = new RecordFile(_share.Tree, Path);
        file.Write(TestShare.RecordOf("a", "1", 1));
        INodeThread owner = SystemRuntime.Instance.Start("owner", () =>
        {
            for (long beat = 2; beat < 300; beat++)
            {
                file.Write(TestShare.RecordOf("a", "1", beat) with { CurrentFile = new string('x', (int)(beat % 7 * 40)) });
            }

            Volatile.Write(ref isOver, true);
        });
        using Share elsewhere = _share.OpenAgain();
        long last = 0;
        while (!Volatile.Read(ref isOver))
        {
            RecordDocument? read = RecordFile.Read(elsewhere.Tree, Path);
            Assert.NotNull(read);
            Assert.True(read.Beat >= last, $"beat {read.Beat} was read after {last}");
            last = read.Beat;
        }

        owner.Join();
    }

    [Fact]
    public void A_record_longer_than_its_place_is_refused_and_the_earlier_one_stays()
    {
        Write(1);
        using var file = new RecordFile(_share.Tree, Path);
        RecordDocument tooLong = TestShare.RecordOf("a", "1", 2) with { Problem = new string('x', RecordFile.PlaceLength) };
        Assert.Contains("longer than its place", Assert.Throws<FileSystemException>(() => file.Write(tooLong)).Message, StringComparison.Ordinal);
        Assert.Equal(1, RecordFile.Read(_share.Tree, Path)!.Beat);
    }

    [Fact]
    public void Records_that_cannot_be_read_are_listed_with_their_problem()
    {
        PlanFolder folder = _share.Request();
        _share.Record(folder, TestShare.RecordOf("nasA", "1", 1));
        _share.Record(folder, TestShare.RecordOf("nasB", "2", 1));
        _share.Damage(folder.Record("nasB", "2"), RecordFile.PlaceLength + 100, new byte[50]);
        _share.Share.MakeFolder(folder.Records.Combine("nasC.3"));

        IReadOnlyList<FoundRecord> found = RecordDirectory.Read(folder);
        Assert.Equal(["nasA.1", "nasB.2", "nasC.3"], found.Select(record => record.Name));
        Assert.Equal("nasA", found[0].Record!.Node);
        Assert.Null(found[0].Problem);
        Assert.Equal(ErrorIds.RecordDamaged, Assert.IsType<BackupException>(found[1].Problem).ErrorId);
        Assert.IsType<FileSystemException>(found[2].Problem);
    }

    private void Write(params long[] beats)
    {
        using var file = new RecordFile(_share.Tree, Path);
        foreach (long beat in beats)
        {
            file.Write(TestShare.RecordOf("a", "1", beat));
        }
    }
}
