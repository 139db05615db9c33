using NasBackup.Jobs;
using NasBackup.Tests.Files;
using NasBackup.Tests.Support;

namespace NasBackup.Tests.Sets;

/// <summary>A second backup takes from the first what has not changed, and is complete in itself.</summary>
public sealed class IncrementalTests : IDisposable
{
    private readonly BackupBench _bench = new();

    public void Dispose() => _bench.Dispose();

    [Fact]
    public void Nothing_changed_is_nothing_read_and_every_kind_of_file_is_there()
    {
        EveryKindOfFile.Make(_bench.Source);
        _bench.LetTimePass();
        BackupSetView first = _bench.BackUp(nodes: 2);
        BackupSetView second = _bench.BackUp(nodes: 2);
        Assert.Equal((BackupType.Full, null), (first.Plan.Type, first.Plan.Base));
        Assert.Equal((BackupType.Incremental, first.Id), (second.Plan.Type, second.Plan.Base));
        Assert.Equal((0, 0), second.New);
        second.AssertIsSource();
        Assert.Equal(first.Inode("plain"), second.Inode("plain"));
        Assert.Equal(first.Manifest("attributes/1", "hash"), second.Manifest("attributes/1", "hash"));
        Assert.NotEqual("", second.Manifest("attributes/1", "xattrs"));
        Assert.Equal(first.Manifest("attributes/1", "xattrs"), second.Manifest("attributes/1", "xattrs"));

        // Each set is complete in itself.
        TempFolder.Run("rm", "-rf", first.Path);
        second.AssertIsSource();
        Assert.Equal("", EveryKindOfFile.Shell("cd \"$1\" && find . -type f -size 0 -name plain", second.Data));
    }

    [Fact]
    public void A_backup_that_copied_nothing_teaches_nothing_about_speed()
    {
        _bench.Change("for i in 1 2 3 4; do head -c 3000000 /dev/urandom > $i; done");
        _bench.LetTimePass();
        _bench.BackUp();
        using var cluster = BackupCluster.Open(_bench.Share);
        double learned = cluster.GetNode("n1").EffectiveSpeed;
        _bench.BackUp();

        Assert.Equal([12_000_000, 0], cluster.GetLog("n1").Select(record => record.Bytes));
        Assert.Equal(learned, cluster.GetNode("n1").EffectiveSpeed);
    }

    [Fact]
    public void What_changed_is_read_and_nothing_of_the_older_set_changes()
    {
        _bench.Change("""
            mkdir d e; for i in 1 2 3 4 5 6; do echo "content $i" > d/$i; done; echo x > file-to-folder; mkdir folder-to-file; echo y > folder-to-file/y
            ln d/5 e/5; echo target > e/t; ln -s t e/link
            """);
        _bench.LetTimePass();
        BackupSetView first = _bench.BackUp();
        string before = ContentAndMetadata(first);
        _bench.Change("""
            echo "other content" > d/1; chmod 600 d/2; rm d/3; mv d/4 d/four; echo new > d/new; touch d/6
            rm file-to-folder; mkdir file-to-folder; echo z > file-to-folder/z; rm -r folder-to-file; echo now > folder-to-file
            """);
        _bench.LetTimePass();
        BackupSetView second = _bench.BackUp();
        second.AssertIsSource();
        Assert.Equal(before, ContentAndMetadata(first));
        Assert.Equal(first.Inode("d/5"), second.Inode("e/5"));
        Assert.Equal(first.Inode("e/t"), second.Inode("e/t"));
        foreach (string changed in (string[])["d/1", "d/2", "d/6"])
        {
            Assert.NotEqual(first.Inode(changed), second.Inode(changed));
        }

        Assert.Equal("content 1\n", File.ReadAllText(Path.Combine(first.Data, "d/1")));
        Assert.Equal("644", EveryKindOfFile.Shell("stat -c %a \"$1/d/2\"", first.Data).Trim());
        // 1, 2, 6, four, new, file-to-folder/z, folder-to-file
        Assert.Equal(7, second.New.Entries);
    }

    [Fact]
    public void Full_reads_everything_and_checksum_reads_everything_and_links()
    {
        _bench.Change("for i in 1 2 3; do echo content $i > $i; done");
        _bench.LetTimePass();
        BackupSetView first = _bench.BackUp();
        BackupSetView full = _bench.BackUp(BackupType.Full);
        Assert.Equal((BackupType.Full, 3), (full.Plan.Type, full.New.Entries));
        Assert.NotEqual(first.Inode("1"), full.Inode("1"));

        BackupSetView checkedSet = _bench.BackUp(checksum: true);
        Assert.Equal((0, 0), checkedSet.New);
        Assert.Equal(full.Inode("1"), checkedSet.Inode("1"));
        checkedSet.AssertIsSource();
    }

    [Fact]
    public void Checksum_finds_a_change_that_left_size_and_time_as_they_were()
    {
        _bench.Change("echo 'content A' > file; touch -d @1600000000 file");
        _bench.LetTimePass();
        BackupSetView first = _bench.BackUp();
        string manifest = first.Manifest("file", "hash");
        _bench.Change("echo 'content B' > file; touch -d @1600000000 file");
        _bench.LetTimePass();
        BackupSetView second = _bench.BackUp(checksum: true);
        Assert.NotEqual(manifest, second.Manifest("file", "hash"));
        Assert.Equal("content B\n", File.ReadAllText(Path.Combine(second.Data, "file")));
        Assert.Equal("content A\n", File.ReadAllText(Path.Combine(first.Data, "file")));
    }

    [Fact]
    public void A_file_that_had_only_just_changed_is_read_again()
    {
        _bench.Change("echo old > old; touch -d @1600000000 old");
        _bench.LetTimePass();
        _bench.Change("echo young > young");
        BackupSetView first = _bench.BackUp();
        Assert.Equal(("true", ""), (first.Manifest("young", "recent"), first.Manifest("old", "recent")));
        BackupSetView second = _bench.BackUp(planned: plan => Assert.Equal(
            "check,link", EveryKindOfFile.Shell($"cd \"$1\"/plans/*/{plan.Id} && zstdcat assignments/*/*/list.* | jq -r 'select(.base) | .base' | sort | paste -sd,", _bench.Share).Trim()));
        // It was the same after all, and takes no room.
        Assert.Equal(first.Inode("young"), second.Inode("young"));
        second.AssertIsSource();
    }

    [Fact]
    public void Files_whose_inodes_are_new_are_read_but_not_stored_again()
    {
        _bench.Change("mkdir d; for i in 1 2 3; do echo content $i > d/$i; done");
        _bench.LetTimePass();
        BackupSetView first = _bench.BackUp();
        _bench.Change("cp -a d d2 && rm -r d && mv d2 d");
        _bench.LetTimePass();
        BackupSetView second = _bench.BackUp();
        Assert.Equal(first.Inode("d/2"), second.Inode("d/2"));
        second.AssertIsSource();
    }

    [Fact]
    public void Where_the_older_set_has_lost_a_file_it_is_read_from_the_source()
    {
        _bench.Change("for i in 1 2 3; do echo content $i > $i; done");
        _bench.LetTimePass();
        BackupSetView first = _bench.BackUp();
        File.Delete(Path.Combine(first.Data, "2"));
        BackupSetView second = _bench.BackUp();
        second.AssertIsSource();
        Assert.Equal(1, second.New.Entries);
    }

    [Fact]
    public void The_newest_complete_set_of_the_same_source_is_the_base_and_an_unfinished_or_removed_one_never()
    {
        _bench.Change("echo a > a");
        _bench.LetTimePass();
        BackupSetView first = _bench.BackUp();
        BackupSetView second = _bench.BackUp();
        File.Move(Path.Combine(second.Path, "set.json"), Path.Combine(second.Path, "set.json.gone"));
        BackupSetView third = _bench.BackUp();
        Assert.Equal(first.Id, third.Plan.Base);
        BackupSetView fourth = _bench.BackUp();
        Assert.Equal(third.Id, fourth.Plan.Base);
    }

    private static string ContentAndMetadata(BackupSetView set)
        => EveryKindOfFile.Shell("cd \"$1\" && find . -printf '%P %y %m %U %G %T@ %l\\n' | sort && find . -type f -print0 | sort -z | xargs -0 md5sum", System.IO.Path.Combine(set.Path, "data"));
}
