using NasBackup.Tests.Files;
using NasBackup.Tests.Support;

namespace NasBackup.Tests.Sets;

/// <summary>Sets with files that were copied in segments: what is built on them, verified and restored.</summary>
public sealed class SegmentedSetTests : IDisposable
{
    private const long Segment = 1024 * 1024;

    private readonly BackupBench _bench = new();
    private readonly ModuleRunspace _shell = new();

    public SegmentedSetTests()
    {
        _bench.Change("head -c 20M /dev/urandom > large; truncate -s 24M large; echo small > small");
        _bench.LetTimePass();
    }

    public void Dispose()
    {
        _shell.Dispose();
        _bench.Dispose();
    }

    [Fact]
    public void A_second_run_takes_a_large_file_from_the_last_set_however_that_has_got_it()
    {
        BackupSetView first = BackUp();
        Assert.Equal("", first.Manifest("large", "hash"));
        string hashes = first.Manifest("large", "segments");
        Assert.Contains("\"offset\":", hashes.Replace(" ", "", StringComparison.Ordinal), StringComparison.Ordinal);

        BackupSetView linked = BackUp();
        Assert.Equal((0, 0), linked.New);
        Assert.Equal((first.Inode("large"), hashes), (linked.Inode("large"), linked.Manifest("large", "segments")));

        BackupSetView read = BackUp(checksum: true);
        Assert.Equal((first.Inode("large"), hashes), (read.Inode("large"), read.Manifest("large", "segments")));

        _bench.Change("printf x | dd of=large bs=1 seek=5000000 conv=notrunc status=none");
        BackupSetView changed = BackUp();
        Assert.NotEqual(hashes, changed.Manifest("large", "segments"));
        Assert.All(new[] { read, changed }, set => Assert.Empty(Verify(set).Errors));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void What_is_copied_on_the_device_is_compared_segment_by_segment(bool isDamaged)
    {
        Assert.SkipUnless(Environment.IsPrivilegedProcess, "Only root can make files of others.");
        _bench.Change("chown 5:5 large; chmod 755 ..; chmod 777 . ../device; mkdir -m 700 ../share-of-nobody; chown 65534:65534 ../share-of-nobody");
        _bench.LetTimePass();
        BackupSetView? first = null;
        TempFolder.AsNobody(() => first = _bench.BackUp(share: Path.Combine(_bench.Root, "share-of-nobody"), segmentSize: Segment));
        Assert.NotEqual("", first!.Manifest("large", "segments"));
        if (isDamaged)
        {
            using FileStream file = File.OpenWrite(Path.Combine(first.Data, "large"));
            file.Position = 9 * Segment;
            file.Write(new byte[10]);
        }

        BackupSetView second = BackUp();

        Assert.Equal(isDamaged ? 24 * Segment : 0, second.New.Bytes);
        // What has to be read after all is read whole.
        Assert.Equal(isDamaged ? "" : first.Manifest("large", "segments"), second.Manifest("large", "segments"));
    }

    [Fact]
    public void A_flipped_bit_is_found_in_the_segment_that_it_is_in_and_the_file_is_not_restored()
    {
        BackupSetView set = BackUp();
        Assert.Equal(24 * Segment + 6, Verify(set).Single<VerifyResult>().BytesRead);
        EveryKindOfFile.Shell("touch -r \"$1\" \"$1.time\"; printf '\\001' | dd of=\"$1\" bs=1 seek=7340040 conv=notrunc status=none; touch -r \"$1.time\" \"$1\"; rm \"$1.time\"", Path.Combine(set.Data, "large"));

        Outcome outcome = Verify(set);

        Assert.Contains($"segment of {Segment} bytes at {7 * Segment}", Assert.Single(outcome.Errors).Exception.Message, StringComparison.Ordinal);
        foreach (string more in (string[])["", "-Node n1,n2 -Share $args[2]"])
        {
            Outcome again = _shell.RunScript($"Test-NasBackupSet $args[0] $args[1] {more}", _bench.Device, set.Id, _bench.Share);
            Assert.Equal("EntryDamaged", Assert.Single(again.Errors).FullyQualifiedErrorId.Split(',')[0]);
        }

        string target = Path.Combine(_bench.Root, "restored");
        Outcome restored = _shell.RunScript("Restore-NasBackup $args[0] $args[1] -Destination $args[2] -Confirm:$false", _bench.Device, set.Id, target);
        Assert.Contains($"at {7 * Segment}", Assert.Single(restored.Errors).Exception.Message, StringComparison.Ordinal);
        Assert.False(File.Exists(Path.Combine(target, "large")));

        // What is noted as damaged is no base.
        Assert.NotEqual((0, 0), BackUp().New);
    }

    [Theory]
    [InlineData("")]
    [InlineData("-Node n1,n2 -Share $args[3]")]
    public void It_is_restored_as_it_was_with_its_hole(string more)
    {
        BackupSetView set = BackUp();
        string target = Path.Combine(_bench.Root, "restored");

        Assert.Empty(_shell.RunScript($"Restore-NasBackup $args[0] $args[1] -Destination $args[2] -Confirm:$false {more}", _bench.Device, set.Id, target, _bench.Share).Errors);

        Assert.Equal("", EveryKindOfFile.Differences(_bench.Source, target));
        Assert.InRange(EveryKindOfFile.StoredBytes(Path.Combine(target, "large")), 1, 21 * Segment);
    }

    [Fact]
    public void Find_tells_the_hash_of_each_segment()
    {
        BackupSetView set = BackUp();

        var item = _shell.RunScript("Find-NasBackupItem $args[0] -Path large", _bench.Device).Single<BackupItem>();

        Assert.Null(item.Hash);
        Assert.Equal(24, item.SegmentHashes.Count);
        Assert.StartsWith($"{23 * Segment} {Segment} ", item.SegmentHashes[^1], StringComparison.Ordinal);
        Assert.Contains(item.SegmentHashes[3].Split(' ')[2], set.Manifest("large", "segments"), StringComparison.Ordinal);
    }

    [Fact]
    public void Where_segments_are_off_a_file_has_one_hash()
        => Assert.NotEqual("", _bench.BackUp(segmentSize: 0).Manifest("large", "hash"));

    private BackupSetView BackUp(bool checksum = false)
    {
        BackupSetView set = _bench.BackUp(checksum: checksum, nodes: 2, segmentSize: Segment);
        set.AssertIsSource();
        return set;
    }

    private Outcome Verify(BackupSetView set) => _shell.RunScript("Test-NasBackupSet $args[0] $args[1]", _bench.Device, set.Id);
}
