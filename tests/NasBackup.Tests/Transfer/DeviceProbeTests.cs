using NasBackup.Files;
using NasBackup.Planning;
using NasBackup.Tests.Files;
using NasBackup.Tests.Sets;
using NasBackup.Tests.Support;
using NasBackup.Transfer;

namespace NasBackup.Tests.Transfer;

public sealed class DeviceProbeTests : IDisposable
{
    private static readonly FilePath Place = FilePath.FromText("probe");

    private readonly TempFolder _temp = new();

    public void Dispose() => _temp.Dispose();

    [Fact]
    public void A_file_system_of_linux_keeps_everything_and_nothing_is_left_of_the_probe()
    {
        Assert.SkipUnless(Environment.IsPrivilegedProcess, "Only root may give files away.");
        using IDisposable mounted = _temp.MountTmpfs(_temp.Folder("device"), "size=1m");
        using LinuxFileTree device = LinuxFileTree.Open($"{_temp.Path}/device");
        Assert.Equal(DeviceLack.None, DeviceProbe.Run(device, Place).Lacks);
        Assert.Empty(device.ReadDirectory(FilePath.Root));
    }

    [Fact]
    public void A_file_system_without_attributes_is_found_out()
    {
        _temp.Folder("device");
        Assert.SkipUnless(
            Environment.IsPrivilegedProcess && TempFolder.Run("mount", "-t", "ramfs", "ramfs", $"{_temp.Path}/device") == 0, "Mounting is not allowed here.");
        using var mounted = new TempFolder.Undo(() => TempFolder.Run("umount", "-l", $"{_temp.Path}/device"));
        using LinuxFileTree device = LinuxFileTree.Open($"{_temp.Path}/device");
        Assert.Equal(DeviceLack.Attributes | DeviceLack.Acl, DeviceProbe.Run(device, Place).Lacks);
    }

    [Fact]
    public void What_this_user_may_not_do_is_found_out()
        => TempFolder.AsNobody(() =>
        {
            using LinuxFileTree device = LinuxFileTree.Open(_temp.Path);
            DeviceLack lacks = DeviceProbe.Run(device, Place).Lacks;
            Assert.Equal(DeviceLack.Owner | DeviceLack.DeviceNodes, lacks & (DeviceLack.Owner | DeviceLack.DeviceNodes | DeviceLack.HardLinks | DeviceLack.Fifos));
        });

    [Fact]
    public void A_device_without_hard_links_is_found_out()
    {
        var device = new HookedTree(_temp.Tree, (change, path) =>
        {
            if (change == nameof(IFileTree.Link))
            {
                throw new FileSystemException(FileProblem.NotSupported, "link", path.ToString(), "of the test");
            }
        });
        Assert.True(DeviceProbe.Run(device, Place).Lacks.HasFlag(DeviceLack.HardLinks));
    }

    /// <summary>As where a reply was lost: the file was made, and asked again the server says that it is there.</summary>
    [Theory]
    [InlineData("file")]
    [InlineData("target")]
    public void A_new_file_that_is_said_to_be_there_is_an_error_that_may_pass(string name)
    {
        var device = new HookedTree(_temp.Tree, (change, path) =>
        {
            if (change == nameof(IFileTree.CreateNew) && path == Place.Combine(FilePath.FromText(name)))
            {
                throw new FileSystemException(FileProblem.AlreadyExists, "create", path.ToString(), "of the test");
            }
        });
        var problem = Assert.Throws<FileSystemException>(() => DeviceProbe.Run(device, Place));
        Assert.Equal(FileProblem.InputOutput, problem.Problem);
        Assert.Contains($"probe/{name}", problem.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Hard_links_that_are_not_counted_are_hard_links_and_copies_are_none()
    {
        var uncounted = new HookedTree(_temp.Tree, (_, _) => { }) { CountsLinks = false };
        Assert.False(DeviceProbe.Run(uncounted, Place).Lacks.HasFlag(DeviceLack.HardLinks));
        var copying = new HookedTree(_temp.Tree, (_, _) => { }) { CountsLinks = false, CopiesForLinks = true };
        Assert.True(DeviceProbe.Run(copying, Place).Lacks.HasFlag(DeviceLack.HardLinks));
    }

    [Fact]
    public void A_device_that_changes_what_a_link_points_to_is_found_out()
    {
        var device = new HookedTree(_temp.Tree, (_, _) => { }) { FollowsLinks = true };
        Assert.True(DeviceProbe.Run(device, Place).Lacks.HasFlag(DeviceLack.MetadataOfLinks));
        Assert.False(DeviceProbe.Run(_temp.Tree, Place).Lacks.HasFlag(DeviceLack.MetadataOfLinks));
    }

    [Fact]
    public void Fat_is_refused_and_what_it_would_lose_is_known()
    {
        string image = $"{_temp.Path}/image";
        _temp.Folder("device");
        TempFolder.Run("truncate", "-s", "16M", image);
        bool isMounted = IsThere("mkfs.vfat") && TempFolder.Run("mkfs.vfat", image) == 0 && TempFolder.Run("mount", "-o", "loop", "-t", "vfat", image, $"{_temp.Path}/device") == 0;
        if (!isMounted && IsThere("mkfs.exfat") && IsThere("mount.exfat-fuse") && TempFolder.Run("mkfs.exfat", image) == 0)
        {
            // FUSE wants a block device; it is freed with the mount that uses it.
            isMounted = TempFolder.Run(
                "sh", "-c", $"loop=$(losetup -f --show {image}) && mount.exfat-fuse $loop {_temp.Path}/device; result=$?; losetup -d $loop; exit $result") == 0;
        }

        Assert.SkipUnless(isMounted, "Neither vfat nor exfat can be mounted here.");
        using var mounted = new TempFolder.Undo(() => TempFolder.Run("umount", "-l", $"{_temp.Path}/device"));
        using LinuxFileTree device = LinuxFileTree.Open($"{_temp.Path}/device");
        DeviceProbe probe = DeviceProbe.Run(device, Place);
        const DeviceLack Certain = DeviceLack.HardLinks | DeviceLack.Case | DeviceLack.SymbolicLinks | DeviceLack.SpecialCharacters | DeviceLack.Attributes | DeviceLack.Acl;
        Assert.Equal(Certain, probe.Lacks & Certain);

        using var bench = new BackupBench();
        bench.Change("echo x > x");
        BackupException refused = Assert.Throws<BackupException>(() => bench.BackUp(device: device.RootPath));
        Assert.Equal(ErrorIds.DeviceUnsuitable, refused.ErrorId);
        Assert.Empty(device.ReadDirectory(FilePath.Root));
    }

    [Fact]
    public void Only_what_the_source_has_is_counted()
    {
        TempFolder.AsNobody(() =>
        {
            using LinuxFileTree device = LinuxFileTree.Open(_temp.Path);
            DeviceProbe probe = DeviceProbe.Run(device, Place);
            FileMetadata mine = new(0, 0x1A4, probe.NewFileOwner.Owner, probe.NewFileOwner.Group);
            ListItem[] items =
            [
                Item("a", EntryKind.File, mine), Item("b", EntryKind.File, mine with { Owner = 1 }), Item("c", EntryKind.BlockDevice, mine),
            ];
            SortedDictionary<string, long> counts = DeviceNeeds.Count(probe, new ItemSequence(items));
            Assert.Equal((1, 1), (counts[SetWarnings.OwnerNotKept], counts[SetWarnings.NodeNotKept]));
            Assert.False(counts.ContainsKey(SetWarnings.NameNotKept));
        });
    }

    private static ListItem Item(string name, EntryKind kind, FileMetadata metadata)
        => new(new Entry { Source = 0, Path = FilePath.FromText(name), Status = new FileStatus(kind, 0, metadata, 0, 1, 1, 1, 0) });

    private static bool IsThere(string tool) => TempFolder.Run("sh", "-c", $"command -v {tool}") == 0;
}
