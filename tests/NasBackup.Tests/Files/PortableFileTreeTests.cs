using NasBackup.Files;
using Xunit;

namespace NasBackup.Tests.Files;

public sealed class PortableFileTreeTests : IDisposable
{
    private readonly string _path = Directory.CreateTempSubdirectory("nasbackup-").FullName;
    private readonly PortableFileTree _tree;

    public PortableFileTreeTests() => _tree = PortableFileTree.Open(_path);

    public void Dispose() => Directory.Delete(_path, recursive: true);

    [Fact]
    public void Files_and_folders_are_made_read_renamed_and_removed()
    {
        FilePath folder = FilePath.FromText("folder");
        FilePath file = folder.Combine("ä.dat");
        Assert.True(_tree.CreateDirectory(folder));
        Assert.False(_tree.CreateDirectory(folder));
        using (IFileHandle made = _tree.CreateNew(file))
        {
            made.Write("content"u8);
            made.Sync();
            made.Close();
        }

        Assert.Equal(FileProblem.AlreadyExists, Assert.Throws<FileSystemException>(() => _tree.CreateNew(file)).Problem);
        Assert.Equal(FileProblem.DirectoryNotEmpty, Assert.Throws<FileSystemException>(() => _tree.DeleteDirectory(folder)).Problem);
        Assert.Equal(3, Scanner.Scan(_tree, 0, new ScanOptions(), null, TestContext.Current.CancellationToken).Entries.Count);
        FilePath moved = FilePath.FromText("moved");
        _tree.Rename(file, moved);
        using (IFileHandle read = _tree.OpenRead(moved))
        {
            var bytes = new byte[20];
            Assert.Equal(7, read.ReadAt(bytes, 0));
            Assert.Equal(7, read.GetStatus().Size);
        }

        Assert.True(_tree.Delete(moved));
        Assert.False(_tree.Delete(moved));
        Assert.True(_tree.DeleteDirectory(folder));
        Assert.False(_tree.DeleteDirectory(folder));
    }

    [Fact]
    public void Times_are_kept_and_what_is_lost_is_said()
    {
        FilePath file = FilePath.FromText("file");
        using IFileHandle made = _tree.CreateNew(file);
        MetadataLoss loss = made.SetMetadata(new FileMetadata(1_700_000_000_123_456_700, 0x1A4, 7, 7));
        Assert.True(loss.HasFlag(MetadataLoss.Owner));
        Assert.Equal(1_700_000_000_123_456_700, _tree.GetStatus(file).Metadata.ModifiedTime);
    }

    [Fact]
    public void A_link_is_seen_as_a_link_and_not_followed()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Making links takes a right of its own on Windows.");
        _tree.CreateDirectory(FilePath.FromText("real"));
        using (_tree.CreateNew(FilePath.FromText("real/file")))
        {
        }

        _tree.CreateSymbolicLink(FilePath.FromText("link"), "real"u8);
        Assert.Equal("real"u8.ToArray(), _tree.ReadLink(FilePath.FromText("link")));
        Assert.Equal(EntryKind.SymbolicLink, _tree.GetStatus(FilePath.FromText("link")).Kind);
        Assert.Equal(FileProblem.LinkInPath, Assert.Throws<FileSystemException>(() => _tree.OpenRead(FilePath.FromText("link/file"))).Problem);
        Assert.True(_tree.Delete(FilePath.FromText("link")));
        Assert.Equal(EntryKind.File, _tree.GetStatus(FilePath.FromText("real/file")).Kind);
    }

    [Fact]
    public void What_the_system_cannot_do_is_said()
    {
        Assert.Equal(FileProblem.NotSupported, Assert.Throws<FileSystemException>(() => _tree.Link(FilePath.FromText("a"), FilePath.FromText("b"))).Problem);
        Assert.Equal(FileProblem.NotSupported, Assert.Throws<FileSystemException>(() => _tree.OpenRead(FilePath.Parse("\\xFF"))).Problem);
        Assert.Equal(FileProblem.NotFound, Assert.Throws<FileSystemException>(() => _tree.CreateNew(FilePath.FromText("missing/file"))).Problem);
        Assert.Equal(FileProblem.NotFound, Assert.Throws<FileSystemException>(() => PortableFileTree.Open(_path + "-missing")).Problem);
        Assert.InRange(_tree.GetSpace().FreeBytes, 1, long.MaxValue);
        Assert.False(_tree.SyncsAsOne);
    }
}
