using System.Text;
using NasBackup.Files;
using Xunit;

namespace NasBackup.Tests.Files;

public sealed class LinuxFileTreeTests : IDisposable
{
    private readonly TempFolder _temp = new();

    private LinuxFileTree Tree => _temp.Tree;

    public void Dispose() => _temp.Dispose();

    public static TheoryData<string> StrangeNames => ["plain", "\\xFF\\xFE.dat", "two\nlines", "-rf *", "tab\t\\x01", "ä \U0001F600", new string('n', 255), "\\xC3"];

    [Theory]
    [MemberData(nameof(StrangeNames))]
    public void A_file_of_any_name_is_written_listed_read_linked_renamed_and_deleted(string name)
    {
        FilePath path = _temp.Folder("folder").Combine(FilePath.Parse(name));
        _temp.Write(path, "content");

        DirectoryItem item = Assert.Single(Tree.ReadDirectory(FilePath.FromText("folder")));
        Assert.Equal(path.Name.ToArray(), item.Name);
        Assert.Equal(7, item.Status!.Value.Size);
        Assert.Equal("content", _temp.Read(path));
        Tree.Link(path, FilePath.FromText("link"));
        Assert.Equal(2u, Tree.GetStatus(path).Links);
        Tree.Rename(path, FilePath.FromText("moved"));
        Assert.Equal("content", _temp.Read(FilePath.FromText("moved")));
        Tree.Rename(FilePath.FromText("moved"), path);
        Assert.True(Tree.Delete(path));
        Assert.False(Tree.Delete(path));
    }

    [Fact]
    public void A_root_whose_path_is_not_UTF8_is_opened_by_bytes_and_by_its_text()
    {
        FilePath name = FilePath.Parse("r\\xFFoot");
        Tree.CreateDirectory(name);
        using LinuxFileTree byBytes = LinuxFileTree.Open(FilePath.FromText(_temp.Path[1..]).Combine(name));
        byBytes.CreateDirectory(FilePath.FromText("inside"));
        using LinuxFileTree byText = LinuxFileTree.Open(byBytes.RootPath);
        Assert.True(byText.IsStillInPlace());
        Assert.Single(byText.ReadDirectory(FilePath.Root));
        byText.DeleteDirectory(FilePath.FromText("inside"));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_path_longer_than_the_system_takes_is_reached_like_any_other(bool onOldKernel)
    {
        LinuxWalk.OneByOne = onOldKernel;
        try
        {
            FilePath path = FilePath.Root;
            for (int i = 0; i < 30; i++)
            {
                path = path.Combine(new string((char)('a' + (i % 26)), 250));
                Assert.True(Tree.CreateDirectory(path));
            }

            Assert.True(path.Bytes.Length > 4096);
            FilePath file = _temp.Write(path.Combine("file"), "deep");
            using LinuxFileTree another = LinuxFileTree.Open(_temp.Path);
            using IFileHandle opened = another.OpenRead(file);
            Assert.Equal(4, opened.GetStatus().Size);
            Assert.Single(another.ReadDirectory(path));
        }
        finally
        {
            LinuxWalk.OneByOne = false;
        }
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void No_link_is_followed_in_any_component_by_any_operation(bool onOldKernel)
    {
        LinuxWalk.OneByOne = onOldKernel;
        try
        {
            FilePath secret = _temp.Write(_temp.Folder("real/deep").Combine("secret"), "secret");
            Tree.CreateSymbolicLink(FilePath.FromText("link"), "real"u8);
            Tree.CreateSymbolicLink(FilePath.FromText("real/file-link"), "deep/secret"u8);
            FilePath through = FilePath.FromText("link/deep/secret");

            Action[] operations =
            [
                () => Tree.OpenRead(through).Dispose(),
                () => Tree.OpenRead(FilePath.FromText("real/file-link")).Dispose(),
                () => Tree.OpenReadWrite(FilePath.FromText("real/file-link")).Dispose(),
                () => Tree.CreateNew(FilePath.FromText("link/new")).Dispose(),
                () => Tree.GetStatus(through),
                () => Tree.GetStatus(FilePath.FromText("link/deep")),
                () => Tree.Delete(through),
                () => Tree.DeleteDirectory(FilePath.FromText("link/deep")),
                () => Tree.CreateDirectory(FilePath.FromText("link/new")),
                () => Tree.CreateSymbolicLink(FilePath.FromText("link/new"), "x"u8),
                () => Tree.CreateSpecial(FilePath.FromText("link/new"), EntryKind.Fifo, 0),
                () => Tree.ReadLink(FilePath.FromText("link/file-link")),
                () => Tree.ReadDirectory(FilePath.FromText("link")),
                () => Tree.ReadDirectory(FilePath.FromText("link/deep")),
                () => Tree.SyncDirectory(FilePath.FromText("link")),
                () => Tree.SetMetadata(through, default, EntryKind.File),
                () => Tree.Link(through, FilePath.FromText("new")),
                () => Tree.Link(secret, FilePath.FromText("link/new")),
                () => Tree.Rename(through, FilePath.FromText("new")),
                () => Tree.Rename(secret, FilePath.FromText("link/new")),
            ];
            Assert.All(operations, operation => Assert.Equal(FileProblem.LinkInPath, Assert.Throws<FileSystemException>(operation).Problem));
            Assert.Equal("secret", _temp.Read(secret));
            Assert.Equal(EntryKind.SymbolicLink, Tree.GetStatus(FilePath.FromText("link")).Kind);
        }
        finally
        {
            LinuxWalk.OneByOne = false;
        }
    }

    [Theory]
    [InlineData("../outside")]
    [InlineData("a/../../outside")]
    [InlineData("./a")]
    [InlineData("/etc/passwd")]
    [InlineData("a//b")]
    [InlineData("a/")]
    [InlineData("a\\x00b")]
    public void A_path_that_would_lead_out_of_the_folder_is_refused(string path)
    {
        _temp.Folder("a");
        Assert.Throws<FileSystemException>(() => Tree.CreateNew(FilePath.Parse(path)));
        Assert.Throws<FileSystemException>(() => Tree.ReadDirectory(FilePath.Parse(path)));
    }

    [Fact]
    public void A_link_keeps_its_target_and_its_own_times_and_what_it_points_to_keeps_all()
    {
        FilePath file = _temp.Write("file");
        FileStatus before = Tree.GetStatus(file);
        Tree.CreateSymbolicLink(FilePath.FromText("link"), "file"u8);
        Assert.Equal(MetadataLoss.None, Tree.SetMetadata(FilePath.FromText("link"), before.Metadata with { ModifiedTime = 1_000_000_001 }, EntryKind.SymbolicLink));
        Assert.Equal("file"u8.ToArray(), Tree.ReadLink(FilePath.FromText("link")));
        Assert.Equal(1_000_000_001, Tree.GetStatus(FilePath.FromText("link")).Metadata.ModifiedTime);
        Assert.Equal(before, Tree.GetStatus(file));
    }

    [Fact]
    public void A_FIFO_is_refused_at_once_and_not_waited_for()
    {
        FilePath fifo = FilePath.FromText("fifo");
        Tree.CreateSpecial(fifo, EntryKind.Fifo, 0);
        Assert.Equal(EntryKind.Fifo, Tree.GetStatus(fifo).Kind);
        Assert.Equal(FileProblem.NotSupported, Assert.Throws<FileSystemException>(() => Tree.OpenRead(fifo)).Problem);
    }

    [Fact]
    public void A_new_file_is_never_an_existing_one()
    {
        FilePath path = _temp.Write("file");
        Assert.Equal(FileProblem.AlreadyExists, Assert.Throws<FileSystemException>(() => Tree.CreateNew(path)).Problem);
        Assert.Equal("content", _temp.Read(path));
    }

    [Fact]
    public void Making_a_folder_says_whether_it_was_there_and_refuses_where_a_file_is()
    {
        Assert.True(Tree.CreateDirectory(FilePath.FromText("folder")));
        Assert.False(Tree.CreateDirectory(FilePath.FromText("folder")));
        _temp.Write("file");
        Assert.Equal(FileProblem.AlreadyExists, Assert.Throws<FileSystemException>(() => Tree.CreateDirectory(FilePath.FromText("file"))).Problem);
    }

    [Fact]
    public void Reading_and_writing_each_go_on_where_they_ended()
    {
        using IFileHandle file = Tree.OpenReadWrite(FilePath.FromText("file"));
        file.Write("0123"u8);
        file.WriteAt("ab"u8, 1);
        file.Write("45"u8);
        var buffer = new byte[10];
        Assert.Equal(6, file.ReadAt(buffer, 0));
        Assert.Equal("0ab345", Encoding.ASCII.GetString(buffer, 0, 6));
        Assert.Equal(2, file.Read(buffer.AsSpan(0, 2)));
        Assert.Equal(4, file.Read(buffer));
        Assert.Equal(0, file.Read(buffer));
        file.SetLength(3);
        file.Reserve(1 << 20);
        Assert.Equal(3, file.GetStatus().Size);
        file.Sync();
        file.Close();
        Assert.Throws<ObjectDisposedException>(() => file.GetStatus());
    }

    [Fact]
    public void The_status_of_an_open_file_is_never_older_than_what_was_read()
    {
        FilePath path = _temp.Write("file");
        using IFileHandle reader = Tree.OpenRead(path);
        using IFileHandle writer = Tree.OpenReadWrite(path);
        writer.SetLength(100);
        Assert.Equal(100, reader.ReadAt(new byte[200], 0));
        Assert.Equal(100, reader.GetStatus().Size);
        writer.SetLength(50);
        Assert.Equal(50, reader.GetStatus().Size);
    }

    [Fact]
    public void A_root_that_was_replaced_is_no_longer_in_place_and_the_old_one_stays_open()
    {
        FilePath folder = _temp.Folder("root");
        using LinuxFileTree tree = LinuxFileTree.Open(_temp.Path + "/root");
        Assert.True(tree.IsStillInPlace());
        Tree.Rename(folder, FilePath.FromText("old"));
        Assert.False(tree.IsStillInPlace());
        _temp.Folder("root");
        Assert.False(tree.IsStillInPlace());
        Assert.Empty(tree.ReadDirectory(FilePath.Root));
    }

    [Fact]
    public void A_tree_knows_its_room_and_can_be_made_durable()
    {
        SpaceStatus space = Tree.GetSpace();
        Assert.InRange(space.FreeBytes, 1, space.TotalBytes);
        Tree.SyncAll();
        Tree.SyncDirectory(FilePath.Root);
    }

    [Fact]
    public void What_is_no_folder_cannot_be_opened_and_the_message_names_it()
    {
        _temp.Write("file");
        FileSystemException missing = Assert.Throws<FileSystemException>(() => FileTree.Open(_temp.Path + "/missing"));
        Assert.Equal(FileProblem.NotFound, missing.Problem);
        Assert.Contains(_temp.Path + "/missing", missing.Message, StringComparison.Ordinal);
        Assert.Equal(FileProblem.NotADirectory, Assert.Throws<FileSystemException>(() => FileTree.Open(_temp.Path + "/file")).Problem);
    }
}
