using NasBackup.Files;
using Xunit;

namespace NasBackup.Tests.Files;

public sealed class LinuxMetadataTests : IDisposable
{
    private readonly TempFolder _temp = new();

    public void Dispose() => _temp.Dispose();

    [Theory]
    [InlineData(1_700_000_000_123_456_789)]
    [InlineData(0)]
    [InlineData(-1)]
    [InlineData(-1_500_000_000)]
    public void Times_are_kept_to_the_nanosecond_before_1970_too(long time)
    {
        FilePath path = _temp.Write("file");
        using (IFileHandle file = _temp.Tree.OpenReadWrite(path))
        {
            FileMetadata metadata = file.GetStatus().Metadata with { ModifiedTime = time };
            Assert.Equal(MetadataLoss.None, file.SetMetadata(metadata));
        }

        Assert.Equal(time, _temp.Tree.GetStatus(path).Metadata.ModifiedTime);
    }

    [Fact]
    public void A_time_beyond_64_bits_of_nanoseconds_becomes_the_nearest()
    {
        Assert.Equal(long.MaxValue, new LinuxTime { Seconds = long.MaxValue / 2 }.ToNanoseconds());
        Assert.Equal(long.MinValue, new LinuxTime { Seconds = long.MinValue / 2 }.ToNanoseconds());
    }

    [Theory]
    [InlineData(EntryKind.Directory)]
    [InlineData(EntryKind.Fifo)]
    public void An_old_kernel_sets_modes_of_names_as_well_and_never_through_a_link(EntryKind kind)
    {
        LinuxWalk.OneByOne = true;
        try
        {
            Root_keeps_owner_and_all_mode_bits_of_every_kind(kind);
            _temp.Tree.CreateSymbolicLink(FilePath.FromText("link"), "entry"u8);
            FileStatus before = _temp.Tree.GetStatus(FilePath.FromText("entry"));
            MetadataLoss loss = _temp.Tree.SetMetadata(FilePath.FromText("link"), before.Metadata with { Mode = 0 }, kind);
            Assert.Equal(MetadataLoss.Mode, loss);
            Assert.Equal(before, _temp.Tree.GetStatus(FilePath.FromText("entry")));
        }
        finally
        {
            LinuxWalk.OneByOne = false;
        }
    }

    [Fact]
    public void Files_made_after_a_folder_became_setgid_still_get_the_group_they_are_to_have()
    {
        Assert.SkipUnless(Environment.IsPrivilegedProcess, "Only root may give files away.");
        FilePath folder = _temp.Folder("folder");
        var wanted = new FileMetadata(0, 0x1A4, 0, 0);
        for (int i = 0; i < 3; i++)
        {
            using IFileHandle file = _temp.Tree.CreateNew(folder.Combine($"file{i}"));
            file.SetMetadata(wanted);
            Assert.Equal(wanted, file.GetStatus().Metadata);
            _temp.Tree.SetMetadata(folder, new FileMetadata(0, 0x5ED, 0, 77), EntryKind.Directory);
        }
    }

    [Theory]
    [InlineData(EntryKind.Directory)]
    [InlineData(EntryKind.Fifo)]
    [InlineData(EntryKind.File)]
    public void Root_keeps_owner_and_all_mode_bits_of_every_kind(EntryKind kind)
    {
        Assert.SkipUnless(Environment.IsPrivilegedProcess, "Only root may give files away.");
        FilePath path = FilePath.FromText("entry");
        var wanted = new FileMetadata(1_000_000_000, 0xDED, 12345, 54321); // 06755
        MetadataLoss loss;
        if (kind == EntryKind.File)
        {
            using IFileHandle file = _temp.Tree.CreateNew(path);
            loss = file.SetMetadata(wanted);
        }
        else
        {
            _ = kind == EntryKind.Directory && _temp.Tree.CreateDirectory(path);
            if (kind == EntryKind.Fifo)
            {
                _temp.Tree.CreateSpecial(path, kind, 0);
            }

            loss = _temp.Tree.SetMetadata(path, wanted, kind);
        }

        Assert.Equal(MetadataLoss.None, loss);
        Assert.Equal(wanted, _temp.Tree.GetStatus(path).Metadata);
    }

    [Fact]
    public void A_device_node_keeps_its_numbers()
    {
        Assert.SkipUnless(Environment.IsPrivilegedProcess, "Only root may make device nodes.");
        ulong number = LinuxStatus.DeviceNumber(259, 1_000);
        _temp.Tree.CreateSpecial(FilePath.FromText("node"), EntryKind.BlockDevice, number);
        FileStatus status = _temp.Tree.GetStatus(FilePath.FromText("node"));
        Assert.Equal((EntryKind.BlockDevice, number), (status.Kind, status.DeviceNumber));
    }

    [Fact]
    public void The_second_file_of_a_folder_gets_its_owner_as_well_as_the_first()
    {
        Assert.SkipUnless(Environment.IsPrivilegedProcess, "Only root may give files away.");
        uint[] owners = [0, 5, 0, 6];
        for (int i = 0; i < owners.Length; i++)
        {
            using IFileHandle file = _temp.Tree.CreateNew(FilePath.FromText($"file{i}"));
            file.SetMetadata(new FileMetadata(0, 0x1A4, owners[i], 0));
            Assert.Equal(owners[i], file.GetStatus().Metadata.Owner);
        }
    }

    [Fact]
    public void Without_the_right_to_give_a_file_away_its_owner_is_lost_and_never_leaves_setuid_bits()
        => TempFolder.AsNobody(() =>
        {
            using LinuxFileTree tree = LinuxFileTree.Open(_temp.Path);
            using IFileHandle file = tree.CreateNew(FilePath.FromText("program"));
            Assert.Equal(MetadataLoss.Owner | MetadataLoss.Mode, file.SetMetadata(new FileMetadata(1_000_000_000, 0xDED, 0, 0)));
            FileMetadata kept = file.GetStatus().Metadata;
            Assert.Equal((0x1ED, 1_000_000_000), (kept.Mode, kept.ModifiedTime));
        });
}
