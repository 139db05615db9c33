using NasBackup.Files;
using NasBackup.Jobs;
using NasBackup.Tests.Files;

namespace NasBackup.Tests.Security;

/// <summary>No symbolic link that somebody plants leads out of source, device or share, whenever it is planted.</summary>
public sealed class PlantedLinkTests : IDisposable
{
    private readonly TempFolder _temp = new();

    public PlantedLinkTests()
    {
        _temp.Tree.SetMetadata(FilePath.Root, _temp.Tree.GetStatus(FilePath.Root).Metadata with { Mode = 0x1C0 }, EntryKind.Directory);
        _temp.Folder("source/folder");
        _temp.Folder("device");
        _temp.Folder("outside");
        _temp.Write("source/folder/file", "of the source");
        _temp.Write("outside/file", "secret");
    }

    [Fact]
    public void A_link_that_comes_and_goes_while_files_are_written_is_never_followed()
    {
        _temp.Folder("tree/a");
        bool isOver = false;
        var swapper = new Thread(() =>
        {
            while (!Volatile.Read(ref isOver))
            {
                Directory.Move(_temp.Path + "/tree/a", _temp.Path + "/tree/b");
                File.CreateSymbolicLink(_temp.Path + "/tree/a", "../outside");
                File.Delete(_temp.Path + "/tree/a");
                Directory.Move(_temp.Path + "/tree/b", _temp.Path + "/tree/a");
            }
        });
        swapper.Start();
        int refused = 0;
        for (int i = 0; i < 3000; i++)
        {
            try
            {
                // A tree keeps folders open; a new one has to find its way each time.
                using LinuxFileTree tree = LinuxFileTree.Open(_temp.Path + "/tree");
                tree.CreateNew(FilePath.FromText($"a/new{i}")).Dispose();
            }
            catch (FileSystemException)
            {
                refused++;
            }
        }

        Volatile.Write(ref isOver, true);
        swapper.Join();
        Assert.Equal([_temp.Path + "/outside/file"], Directory.GetFiles(_temp.Path + "/outside"));
        Assert.True(refused > 0, "The race was never close.");
    }

    [Fact]
    public void A_link_in_the_source_that_was_a_folder_when_it_was_planned_is_not_followed()
    {
        using BackupCluster cluster = BackupCluster.Open(_temp.Path + "/share", create: true, new NodeSettings());
        string plan = Plan(cluster);
        Directory.Move(_temp.Path + "/source/folder", _temp.Path + "/source/was");
        File.CreateSymbolicLink(_temp.Path + "/source/folder", "../outside");

        BackupResult result = cluster.RunJob(plan, new BackupJobOptions(), CancellationToken.None);

        Assert.Equal(BackupStatus.CompletedWithErrors, result.Status);
        Assert.Contains(result.Failures, failure => failure.Path == _temp.Path + "/source/folder/file" && failure.ErrorId == ErrorIds.FileUnreadable);
        Assert.DoesNotContain(
            Directory.EnumerateFiles(_temp.Path + "/device", "*", SearchOption.AllDirectories),
            path => File.ReadAllText(path).Contains("secret", StringComparison.Ordinal));
    }

    [Fact]
    public void A_link_that_waits_on_the_device_is_not_followed()
    {
        using BackupCluster cluster = BackupCluster.Open(_temp.Path + "/share", create: true, new NodeSettings());
        string plan = Plan(cluster);
        string data = $"{_temp.Path}/device/{plan}/data{_temp.Path}/source";
        Directory.CreateDirectory(data);
        File.CreateSymbolicLink(data + "/folder", _temp.Path + "/outside");

        BackupResult result = cluster.RunJob(plan, new BackupJobOptions(), CancellationToken.None);

        // What stands in the way of committed copies has to be taken away by whoever owns the device.
        Assert.Equal(BackupStatus.Stopped, result.Status);
        Assert.Contains("/folder", result.Problem, StringComparison.Ordinal);
        Assert.Equal("secret", File.ReadAllText(_temp.Path + "/outside/file"));
        Assert.Equal([_temp.Path + "/outside/file"], Directory.GetFiles(_temp.Path + "/outside"));
    }

    [Fact]
    public void A_link_on_the_share_is_not_followed()
    {
        using BackupCluster cluster = BackupCluster.Open(_temp.Path + "/share", create: true, new NodeSettings());
        string plan = Plan(cluster);
        string request = $"{_temp.Path}/share/plans/{plan[..6]}/{plan}/request";
        File.Move(request, _temp.Path + "/outside/request");
        File.CreateSymbolicLink(request, _temp.Path + "/outside/request");

        Assert.ThrowsAny<IOException>(() => cluster.RunJob(plan, new BackupJobOptions(), CancellationToken.None));
    }

    public void Dispose() => _temp.Dispose();

    private string Plan(BackupCluster cluster) => cluster.CreatePlan(
        new BackupRequest { Path = [_temp.Path + "/source"], Destination = _temp.Path + "/device", Nodes = ["nas1"], Durability = Durability.None, FailoverTimeout = TimeSpan.FromSeconds(1) },
        null,
        null,
        null,
        CancellationToken.None).Id;
}
