using NasBackup.Coordination;
using NasBackup.Files;
using NasBackup.Formats.Tar;
using NasBackup.Tests.Coordination;
using NasBackup.Tests.Files;
using NasBackup.Transfer.Volumes;

namespace NasBackup.Tests.Transfer;

/// <summary>What a worker appends is an archive at any time, and what may be lost of it is told.</summary>
public sealed class VolumeAppenderTests : IDisposable
{
    private readonly TempFolder _temp = new();
    private readonly LinuxFileTree _tree;
    private readonly FailingTree _failing;
    private readonly VolumeAppender _volume;

    public VolumeAppenderTests()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Linux only.");
        _tree = LinuxFileTree.Open(_temp.Path);
        _failing = new FailingTree(_tree) { WritesBeforeItFails = true };
        _volume = new VolumeAppender(() => _failing, hand: 3, number => FilePath.FromText($"v{number}"), volumeBytes: 1_000_000, syncs: true, SystemRuntime.Instance.NewGate());
    }

    public void Dispose()
    {
        _volume.Dispose();
        _tree.Dispose();
        _temp.Dispose();
    }

    [Fact]
    public void Every_flush_ends_with_the_end_of_an_archive_that_the_next_one_replaces()
    {
        Append(1);
        _volume.Flush();
        Assert.Equal(512 + TarHeader.EndBytes, Read().Length);
        Append(2);
        _volume.Flush();
        byte[] bytes = Read();
        Assert.Equal(1024 + TarHeader.EndBytes, bytes.Length);
        Assert.Equal((1, 2, 0, 0), (bytes[0], bytes[512], bytes[1024], bytes[^1]));
    }

    [Fact]
    public void What_is_taken_back_is_not_there_whether_it_was_written_or_not()
    {
        Append(1);
        _volume.Flush();
        Append(2);
        _volume.Rewind(512);
        Append(3);
        _volume.Flush();
        Assert.Equal(3, Read()[512]);
        _volume.Rewind(512);
        _volume.Flush();
        Assert.Equal(512 + TarHeader.EndBytes, Read().Length);
    }

    [Fact]
    public void A_volume_that_is_full_is_followed_by_the_next_one_of_the_same_hand()
    {
        Append(1);
        _volume.Flush();
        Assert.Equal(VolumeNames.Number(3, 0), _volume.Number);
        Assert.NotNull(_volume.Begin(999_000));
        Assert.Equal((VolumeNames.Number(3, 1), 0), (_volume.Number, _volume.Position));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void What_a_closed_volume_may_have_lost_two_checkpoints_hear_of(bool isAbandoned)
    {
        Append(1);
        _volume.Flush();
        _failing.Fails = true;
        if (isAbandoned)
        {
            _volume.Abandon();
        }
        else
        {
            Assert.Throws<FileSystemException>(_volume.End);
        }

        _failing.Fails = false;
        Assert.Throws<FileSystemException>(_volume.Sync);
        Assert.Throws<FileSystemException>(_volume.Sync);
        _volume.Sync();
    }

    private void Append(byte value)
    {
        _volume.Begin(512);
        _volume.Append(Enumerable.Repeat(value, 512).ToArray());
    }

    private byte[] Read() => File.ReadAllBytes($"{_temp.Path}/v{VolumeNames.Number(3, 0)}");
}
