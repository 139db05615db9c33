using NasBackup.Files;
using Xunit;

namespace NasBackup.Tests.Files;

public sealed class LinuxErrorsTests : IDisposable
{
    private readonly TempFolder _temp = new();

    public void Dispose() => _temp.Dispose();

    [Fact]
    public void Each_failure_says_what_kind_it_is_and_names_the_absolute_path()
    {
        _temp.Write(_temp.Folder("folder").Combine("file"), "content");
        LinuxFileTree tree = _temp.Tree;
        Expect(FileProblem.NotFound, "folder/missing", path => tree.OpenRead(path));
        Expect(FileProblem.NotFound, "missing/file", path => tree.CreateNew(path));
        Expect(FileProblem.NotADirectory, "folder/file/below", path => tree.OpenRead(path));
        Expect(FileProblem.NotADirectory, "folder/file", path => tree.ReadDirectory(path));
        Expect(FileProblem.IsADirectory, "folder", path => tree.OpenRead(path));
        Expect(FileProblem.IsADirectory, "folder", path => tree.Delete(path));
        Expect(FileProblem.DirectoryNotEmpty, "folder", path => tree.DeleteDirectory(path));
        Expect(FileProblem.NameTooLong, new string('x', 256), path => tree.CreateNew(path));
        Expect(FileProblem.NameTooLong, new string('x', 5000), path => tree.CreateNew(path));
        Expect(FileProblem.AlreadyExists, "folder/file", path => tree.Link(FilePath.FromText("folder/file"), path));
        Expect(FileProblem.Other, "folder/file", path => tree.ReadLink(path));
    }

    [Theory]
    [InlineData(28, FileProblem.NoSpace)]
    [InlineData(122, FileProblem.NoSpace)]
    [InlineData(30, FileProblem.ReadOnly)]
    [InlineData(40, FileProblem.LinkInPath)]
    [InlineData(116, FileProblem.Stale)]
    [InlineData(107, FileProblem.Stale)]
    [InlineData(112, FileProblem.Stale)]
    [InlineData(19, FileProblem.Stale)]
    [InlineData(5, FileProblem.InputOutput)]
    [InlineData(31, FileProblem.TooManyLinks)]
    [InlineData(18, FileProblem.CrossesFileSystems)]
    [InlineData(24, FileProblem.TooManyOpenFiles)]
    [InlineData(9999, FileProblem.Other)]
    public void An_error_number_becomes_the_kind_that_the_engine_acts_on(int error, FileProblem problem)
        => Assert.Equal(problem, LinuxErrors.ToException(error, "read", "/x").Problem);

    [Fact]
    public void A_full_device_is_no_space_and_not_the_fault_of_the_file()
    {
        FilePath place = _temp.Folder("small");
        using IDisposable mounted = _temp.MountTmpfs(place);
        using LinuxFileTree tree = LinuxFileTree.Open(_temp.Path + "/small");
        Assert.Equal("tmpfs", tree.FileSystemName);
        using IFileHandle file = tree.CreateNew(FilePath.FromText("file"));
        FileSystemException failure = Assert.Throws<FileSystemException>(() => file.Write(new byte[1 << 20]));
        Assert.Equal(FileProblem.NoSpace, failure.Problem);
        Assert.True(failure.IsDeviceWide);
        Assert.Equal(FileProblem.NoSpace, Assert.Throws<FileSystemException>(() => file.Reserve(1 << 20)).Problem);
        Assert.Equal(0, tree.GetSpace().FreeBytes);
        Assert.Equal(FileProblem.CrossesFileSystems, Assert.Throws<FileSystemException>(() => _temp.Tree.Link(FilePath.FromText("small/file"), FilePath.FromText("x"))).Problem);
    }

    [Fact]
    public void A_file_system_mounted_over_the_root_is_noticed()
    {
        FilePath place = _temp.Folder("device");
        using LinuxFileTree tree = LinuxFileTree.Open(_temp.Path + "/device");
        using (_temp.MountTmpfs(place))
        {
            Assert.False(tree.IsStillInPlace());
        }

        Assert.True(tree.IsStillInPlace());
    }

    [Fact]
    public void The_same_folder_mounted_over_itself_is_noticed_by_its_mount()
    {
        _temp.Folder("device");
        using LinuxFileTree tree = LinuxFileTree.Open(_temp.Path + "/device");
        if (!Environment.IsPrivilegedProcess || TempFolder.Run("mount", "--bind", _temp.Path + "/device", _temp.Path + "/device") != 0)
        {
            Assert.Skip("Mounting is not allowed here.");
        }

        using (new TempFolder.Undo(() => TempFolder.Run("umount", _temp.Path + "/device")))
        {
            Assert.False(tree.IsStillInPlace());
        }
    }

    private void Expect(FileProblem problem, string path, Action<FilePath> operation)
    {
        FileSystemException failure = Assert.Throws<FileSystemException>(() => operation(FilePath.FromText(path)));
        Assert.Equal((problem, $"{_temp.Path}/{path}"), (failure.Problem, failure.Path));
    }
}
