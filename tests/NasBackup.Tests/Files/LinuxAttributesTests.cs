using NasBackup.Files;
using NasBackup.Tests.Support;

namespace NasBackup.Tests.Files;

public sealed class LinuxAttributesTests : IDisposable
{
    private static readonly FileMetadata Plain = new(1_000_000_000, 0x1A4, 0, 0);

    private readonly TempFolder _temp = new();

    public void Dispose() => _temp.Dispose();

    [Fact]
    public void A_file_without_attributes_has_none()
    {
        using IFileHandle file = _temp.Tree.OpenRead(_temp.Write("file"));
        Assert.Same(ExtendedAttributes.None, file.GetAttributes());
    }

    [Fact]
    public void Attributes_and_acl_of_a_file_are_what_the_tools_have_set_and_the_same_on_its_copy()
    {
        _temp.Write("file");
        Make("setfattr -n user.a -v text file && setfattr -n user.large -v \"$(printf 'x%.0s' {1..2500})\" file && setfacl -m u:12345:rw file");
        ExtendedAttributes found = Read("file");
        Assert.Equal(["system.posix_acl_access", "user.a", "user.large"], found.Items.Select(item => item.Name.ToString()));
        Assert.Equal("text"u8.ToArray(), found.Items[1].Value);
        FileMetadata original = _temp.Tree.GetStatus(FilePath.FromText("file")).Metadata;

        using (IFileHandle copy = _temp.Tree.CreateNew(FilePath.FromText("copy")))
        {
            Assert.Equal(MetadataLoss.None, copy.SetMetadata(original, found));
            copy.Close();
        }

        Assert.True(Read("copy").IsSameAs(found));
        Assert.Equal(original, _temp.Tree.GetStatus(FilePath.FromText("copy")).Metadata);
        Assert.Equal(Shell("getfacl -c file"), Shell("getfacl -c copy"));
    }

    [Fact]
    public void What_a_new_file_inherited_is_taken_away_where_the_original_does_not_have_it()
    {
        FilePath folder = _temp.Folder("folder");
        Make("setfacl -d -m u:12345:rwx folder && setfacl -m u:54321:rx folder");
        FilePath file = _temp.Write("folder/file");
        Assert.Contains(Read("folder/file").Items, item => item.IsAcl);
        using (IFileHandle handle = _temp.Tree.OpenReadWrite(file))
        {
            handle.SetMetadata(Owned(Plain), ExtendedAttributes.None);
        }

        _temp.Tree.SetMetadata(folder, Owned(Plain with { Mode = 0x1ED }), EntryKind.Directory, ExtendedAttributes.None);
        Assert.True(Read("folder/file").IsEmpty);
        Assert.True(_temp.Tree.GetAttributes(folder).IsEmpty);
    }

    [Fact]
    public void Capabilities_survive_the_change_of_owner()
    {
        Assert.SkipUnless(Environment.IsPrivilegedProcess, "Only root may give files capabilities.");
        _temp.Write("program");
        Make("setfattr -n security.capability -v 0x0100000200200000000000000000000000000000 program");
        ExtendedAttributes wanted = Read("program");
        using (IFileHandle copy = _temp.Tree.CreateNew(FilePath.FromText("copy")))
        {
            Assert.Equal(MetadataLoss.None, copy.SetMetadata(new FileMetadata(0, 0x1ED, 12345, 54321), wanted));
        }

        Assert.True(Read("copy").IsSameAs(wanted));
    }

    [Fact]
    public void Attributes_of_links_and_fifos_are_theirs_and_not_those_of_what_a_link_points_to()
    {
        Assert.SkipUnless(Environment.IsPrivilegedProcess, "Only root may set trusted attributes.");
        _temp.Write("file");
        Make("setfattr -n user.of-file -v x file && ln -s file link && setfattr -h -n trusted.of-link -v y link && mkfifo fifo && setfattr -n trusted.of-fifo -v z fifo");
        Assert.Equal(["trusted.of-link"], _temp.Tree.GetAttributes(FilePath.FromText("link")).Items.Select(item => item.Name.ToString()));
        foreach ((string name, EntryKind kind) in new[] { ("link", EntryKind.SymbolicLink), ("fifo", EntryKind.Fifo) })
        {
            ExtendedAttributes wanted = _temp.Tree.GetAttributes(FilePath.FromText(name));
            FilePath copy = FilePath.FromText("copy-of-" + name);
            if (kind == EntryKind.SymbolicLink)
            {
                _temp.Tree.CreateSymbolicLink(copy, "file"u8);
            }
            else
            {
                _temp.Tree.CreateSpecial(copy, kind, 0);
            }

            Assert.Equal(MetadataLoss.None, _temp.Tree.SetMetadata(copy, Plain, kind, wanted));
            Assert.True(_temp.Tree.GetAttributes(copy).IsSameAs(wanted));
        }

        Assert.Equal(["user.of-file"], Read("file").Items.Select(item => item.Name.ToString()));
    }

    [Fact]
    public void What_the_user_may_not_set_is_lost_and_no_error()
        => TempFolder.AsNobody(() =>
        {
            using LinuxFileTree tree = LinuxFileTree.Open(_temp.Path);
            using IFileHandle file = tree.CreateNew(FilePath.FromText("file"));
            FileMetadata mine = file.GetStatus().Metadata with { Mode = 0x100 };
            var wanted = new ExtendedAttributes([Attribute("trusted.a", "x"), Attribute("user.b", "y")]);
            Assert.Equal(MetadataLoss.Attributes, file.SetMetadata(mine, wanted));
            using IFileHandle again = tree.OpenRead(FilePath.FromText("file"));
            Assert.Equal(["user.b"], again.GetAttributes().Items.Select(item => item.Name.ToString()));
        });

    [Fact]
    public void An_acl_on_a_file_system_without_them_is_lost_and_no_error()
    {
        FilePath folder = _temp.Folder("ramfs");
        _temp.Write("file");
        Make("setfattr -n user.a -v x file && setfacl -m u:12345:rw file");
        Assert.SkipUnless(
            Environment.IsPrivilegedProcess && TempFolder.Run("mount", "-t", "ramfs", "ramfs", $"{_temp.Path}/ramfs") == 0, "Mounting is not allowed here.");
        using var mounted = new TempFolder.Undo(() => TempFolder.Run("umount", "-l", $"{_temp.Path}/ramfs"));
        using LinuxFileTree tree = LinuxFileTree.Open($"{_temp.Path}/ramfs");
        using IFileHandle copy = tree.CreateNew(FilePath.FromText("copy"));
        Assert.Equal(MetadataLoss.Attributes | MetadataLoss.Acl, copy.SetMetadata(Plain, Read("file")));
        Assert.True(copy.GetAttributes().IsEmpty);
    }

    [Fact]
    public void Holes_are_found_and_a_file_without_any_is_one_piece()
    {
        Make("truncate -s 1M sparse && printf data >> sparse && truncate -s 3M sparse && head -c 100000 /dev/zero > dense && truncate -s 1G empty");
        using IFileHandle sparse = _temp.Tree.OpenRead(FilePath.FromText("sparse"));
        sparse.GetStatus();
        Assert.True(sparse.TryFindData(0, out long start, out long end));
        Assert.Equal(1024 * 1024, start);
        Assert.InRange(end, start + 4, start + (64 * 1024));
        Assert.False(sparse.TryFindData(end, out _, out _));

        using IFileHandle dense = _temp.Tree.OpenRead(FilePath.FromText("dense"));
        dense.GetStatus();
        Assert.True(dense.TryFindData(7, out start, out end));
        Assert.Equal((7, long.MaxValue), (start, end));

        using IFileHandle empty = _temp.Tree.OpenRead(FilePath.FromText("empty"));
        Assert.False(empty.TryFindData(0, out _, out _));
    }

    private static ExtendedAttribute Attribute(string name, string value) => new(FilePath.FromText(name), System.Text.Encoding.ASCII.GetBytes(value));

    private FileMetadata Owned(FileMetadata metadata)
    {
        FileMetadata root = _temp.Tree.GetStatus(FilePath.Root).Metadata;
        return metadata with { Owner = root.Owner, Group = root.Group };
    }

    private ExtendedAttributes Read(string name)
    {
        using IFileHandle file = _temp.Tree.OpenRead(FilePath.FromText(name));
        return file.GetAttributes();
    }

    /// <summary>Skips where the tools or the file system of temporary files cannot do it.</summary>
    private void Make(string script)
        => Assert.SkipUnless(TempFolder.Run("bash", "-c", $"cd '{_temp.Path}' && {script}") == 0, $"This could not be made here: {script}");

    private string Shell(string script) => EveryKindOfFile.Shell($"cd \"$1\" && {script}", _temp.Path);
}
