using NasBackup.Coordination;
using NasBackup.Files;
using NasBackup.Jobs;
using NasBackup.Sets;
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

    [Fact]
    public void What_a_verification_found_damaged_is_read_again()
    {
        _bench.Change("echo a > a; echo b > b");
        _bench.LetTimePass();
        BackupSetView first = _bench.BackUp();
        using (IFileTree set = FileTree.Open(first.Path))
        {
            var me = new Identity("n1", "incarnation");
            var chain = new SetChain(first.Id, set, SystemRuntime.Instance, Tokens.System);
            chain.NoteDamage(
                DamageNote.Write(set, first.Id, [new DamagedEntry(0, FilePath.FromText("a"), "Damaged", "of the test")], isWhole: false, me, SystemRuntime.Instance, Tokens.System), me);
        }

        BackupSetView second = _bench.BackUp();
        Assert.Equal((1, first.Id), (second.New.Entries, second.Plan.Base));
        Assert.NotEqual(first.Inode("a"), second.Inode("a"));
        Assert.Equal(first.Inode("b"), second.Inode("b"));
    }

    [Fact]
    public void The_base_is_pinned_until_the_set_is_complete()
    {
        _bench.Change("echo a > a");
        _bench.LetTimePass();
        BackupSetView first = _bench.BackUp();
        void AssertPinned(bool isPinned)
        {
            using IFileTree device = FileTree.Open(_bench.Device);
            var folders = new SetFolders(device, FileTree.Open, SystemRuntime.Instance, Tokens.System);
            using IFileTree set = folders.Open(first.Id);
            SetChain chain = folders.Chain(first.Id, set);
            chain.Refresh();
            Assert.Equal(isPinned, chain.Pins.Any(folders.NeedsItsPins));
        }

        _bench.BackUp(planned: _ => AssertPinned(true));
        AssertPinned(false);
    }

    [Fact]
    public void A_file_with_as_many_names_as_the_file_system_allows_is_copied()
    {
        _bench.Change("echo content > file");
        _bench.LetTimePass();
        BackupSetView first = _bench.BackUp();
        using (LinuxFileTree data = LinuxFileTree.Open(first.Data))
        {
            int names = 0;
            try
            {
                for (; names < 70_000; names++)
                {
                    data.Link(FilePath.FromText("file"), FilePath.FromText($"name{names}"));
                }
            }
            catch (FileSystemException e) when (e.Problem is FileProblem.TooManyLinks)
            {
            }

            Assert.SkipUnless(names < 70_000, "The file system of temporary files has no such limit.");
        }

        BackupSetView second = _bench.BackUp();
        Assert.NotEqual(first.Inode("file"), second.Inode("file"));
        second.AssertIsSource();
        Assert.Equal(0, second.New.Entries);
    }

    [Fact]
    public void Owners_that_a_backup_without_root_could_not_keep_a_later_one_keeps_without_reading_the_source_again()
    {
        MakeLossyBase(out BackupSetView first);
        BackupSetView second = _bench.BackUp();
        Assert.Equal(0, second.New.Entries);
        Assert.NotEqual(first.Inode("1"), second.Inode("1"));
        second.AssertIsSource();
    }

    [Fact]
    public void A_copy_on_the_device_that_is_not_what_its_manifest_says_is_read_from_the_source()
    {
        MakeLossyBase(out BackupSetView first);
        File.WriteAllText(Path.Combine(first.Data, "2"), "CONTENT 2\n");
        BackupSetView second = _bench.BackUp();
        Assert.Equal(1, second.New.Entries);
        second.AssertIsSource();
    }

    [Fact]
    public void Where_the_device_can_share_blocks_a_copy_takes_none()
    {
        string image = Path.Combine(_bench.Root, "image");
        Assert.SkipUnless(
            Environment.IsPrivilegedProcess && TempFolder.Run("sh", "-c", $"command -v mkfs.xfs && truncate -s 400M {image} && mkfs.xfs -q -m reflink=1 {image} && mount -o loop {image} {_bench.Device}") == 0,
            "No xfs can be mounted here.");
        using var mounted = new TempFolder.Undo(() => TempFolder.Run("umount", "-l", _bench.Device));
        MakeLossyBase(out BackupSetView first);
        BackupSetView second = _bench.BackUp();
        Assert.Equal(0, second.New.Entries);
        second.AssertIsSource();
        Assert.Contains("shared", EveryKindOfFile.Shell("filefrag -v \"$1/large\"", second.Data), StringComparison.Ordinal);
        Assert.NotEqual(first.Inode("large"), second.Inode("large"));
    }

    private void MakeLossyBase(out BackupSetView first)
    {
        Assert.SkipUnless(Environment.IsPrivilegedProcess, "Only root can make files of others.");
        _bench.Change("for i in 1 2 3; do echo content $i > $i; chown $i:$i $i; done; head -c 300000 /dev/urandom > large; chown 5:5 large; chmod 755 ..; chmod 777 . ../device; mkdir -m 700 ../share-of-nobody; chown 65534:65534 ../share-of-nobody");
        _bench.LetTimePass();
        BackupSetView? made = null;
        TempFolder.AsNobody(() => made = _bench.BackUp(share: Path.Combine(_bench.Root, "share-of-nobody")));
        Assert.Equal("65534", EveryKindOfFile.Shell("stat -c %u \"$1/1\"", made!.Data).Trim());
        first = made;
    }

    private static string ContentAndMetadata(BackupSetView set)
        => EveryKindOfFile.Shell("cd \"$1\" && find . -printf '%P %y %m %U %G %T@ %l\\n' | sort && find . -type f -print0 | sort -z | xargs -0 md5sum", System.IO.Path.Combine(set.Path, "data"));
}
