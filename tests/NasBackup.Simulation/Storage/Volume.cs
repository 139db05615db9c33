using System.Text;
using NasBackup.Files;

namespace NasBackup.Simulation.Storage;

/// <summary>
/// A file system as its server keeps it, without clients: inodes apart from names, exclusive creation, hard links, renames.
/// Names and content become durable only when they are synced. Every call takes effect at once and as a whole.
/// </summary>
internal sealed partial class Volume
{
    private static readonly FileMetadata NewFolder = new(0, 0x1C0, 0, 0);
    private static readonly FileMetadata NewFile = new(0, 0x180, 0, 0);

    private const int MostKnownPaths = 4096;

    private readonly Dictionary<FilePath, string[]> _components = [];
    private readonly Func<long> _now;
    private ulong _nextInode = 2;

    public Volume(string name, ulong number, Func<long> now)
    {
        (Name, Number, _now) = (name, number, now);
        Root = NewInode(EntryKind.Directory, 0);
        Root.Metadata = NewFolder;
    }

    public string Name { get; }

    /// <summary>The number of the file system (st_dev).</summary>
    public ulong Number { get; }

    public Inode Root { get; }

    /// <summary>Whether syncing the file system as a whole reaches the server; else each file and folder must be synced.</summary>
    public bool SyncsAsOne { get; init; } = true;

    /// <summary>Whether a name is durable as soon as the server has answered, as over NFS.</summary>
    public bool KeepsNamesAtOnce { get; init; }

    /// <summary>Whether closing a file makes it durable, as over NFS.</summary>
    public bool CommitsAtClose { get; init; }

    /// <summary>Whether a link to a name that exists is refused as not permitted, as over sshfs.</summary>
    public bool SaysPermissionForExists { get; init; }

    public bool IsFull { get; set; }

    public bool IsReadOnly { get; set; }

    /// <summary>Told of every change, when it has been made.</summary>
    public IVolumeWatcher? Watcher { get; set; }

    /// <summary>A path's inode below a root; no link is followed.</summary>
    /// <exception cref="FileSystemException">NotFound, NotADirectory, LinkInPath.</exception>
    public Inode Find(Inode root, FilePath path, string action)
    {
        Inode inode = root;
        foreach (string name in Components(path))
        {
            inode = Child(inode, name, action, path);
        }

        return inode;
    }

    /// <summary>The directory that a path's last name stands in, and that name.</summary>
    public (Inode Directory, string Name) FindParent(Inode root, FilePath path, string action)
    {
        string[] names = Components(path);
        if (names.Length == 0)
        {
            throw Error(FileProblem.NotSupported, action, path, "Operation not permitted on the root");
        }

        Inode inode = root;
        foreach (string name in names.AsSpan(0, names.Length - 1))
        {
            inode = Child(inode, name, action, path);
        }

        return inode.Kind is EntryKind.Directory
            ? (inode, names[^1])
            : throw Error(FileProblem.NotADirectory, action, path, "Not a directory");
    }

    public Inode Create(Inode root, FilePath path, EntryKind kind, string action, ulong device = 0, byte[]? target = null)
    {
        (Inode directory, string name) = FindParent(root, path, action);
        ThrowIfNoRoom(action, path);
        if (directory.Names.ContainsKey(name))
        {
            throw Error(FileProblem.AlreadyExists, action, path, "File exists");
        }

        Inode inode = NewInode(kind, device);
        inode.Metadata = (kind is EntryKind.Directory ? NewFolder : NewFile) with { ModifiedTime = Nanoseconds };
        inode.SetData(target ?? []);
        if (kind is not EntryKind.File)
        {
            inode.MakeDurable();
        }

        Change(new NameChange(directory, name, null, inode));
        return inode;
    }

    public void Link(Inode root, FilePath existing, FilePath added)
    {
        const string Action = "link";
        Inode inode = Find(root, existing, Action);
        (Inode directory, string name) = FindParent(root, added, Action);
        ThrowIfNoRoom(Action, added);
        if (directory.Names.ContainsKey(name))
        {
            throw SaysPermissionForExists
                ? Error(FileProblem.AccessDenied, Action, added, "Operation not permitted")
                : Error(FileProblem.AlreadyExists, Action, added, "File exists");
        }

        Change(new NameChange(directory, name, null, inode));
    }

    public void Rename(Inode root, FilePath from, FilePath to)
    {
        const string Action = "rename";
        (Inode source, string oldName) = FindParent(root, from, Action);
        Inode inode = source.Names.GetValueOrDefault(oldName) ?? throw Error(FileProblem.NotFound, Action, from, "No such file or directory");
        (Inode target, string newName) = FindParent(root, to, Action);
        ThrowIfReadOnly(Action, to);
        Inode? replaced = target.Names.GetValueOrDefault(newName);
        if (replaced == inode)
        {
            return;
        }

        if (replaced?.Kind is EntryKind.Directory && inode.Kind is not EntryKind.Directory)
        {
            throw Error(FileProblem.IsADirectory, Action, to, "Is a directory");
        }

        Change(new NameChange(source, oldName, inode, null, target, newName, replaced));
    }

    public bool Delete(Inode root, FilePath path)
    {
        const string Action = "remove";
        (Inode directory, string name) = FindParent(root, path, Action);
        if (!directory.Names.TryGetValue(name, out Inode? inode))
        {
            return false;
        }

        ThrowIfReadOnly(Action, path);
        if (inode.Kind is EntryKind.Directory)
        {
            throw Error(FileProblem.IsADirectory, Action, path, "Is a directory");
        }

        Change(new NameChange(directory, name, inode, null));
        return true;
    }

    public bool DeleteDirectory(Inode root, FilePath path)
    {
        const string Action = "remove the folder";
        (Inode directory, string name) = FindParent(root, path, Action);
        if (!directory.Names.TryGetValue(name, out Inode? inode))
        {
            return false;
        }

        ThrowIfReadOnly(Action, path);
        if (inode.Kind is not EntryKind.Directory)
        {
            throw Error(FileProblem.NotADirectory, Action, path, "Not a directory");
        }

        if (inode.Names.Count > 0)
        {
            throw Error(FileProblem.DirectoryNotEmpty, Action, path, "Directory not empty");
        }

        Change(new NameChange(directory, name, inode, null));
        return true;
    }

    public void Write(Inode inode, long offset, ReadOnlySpan<byte> bytes, bool touches = true)
    {
        Allocate(inode, offset, bytes.Length, "write");
        inode.Write(offset, bytes);
        Modified(inode, touches);
    }

    /// <summary>As <see cref="Write"/>, of all that a new file holds.</summary>
    /// <param name="inode">The file.</param>
    /// <param name="content">Nobody may change it any more.</param>
    public void Fill(Inode inode, byte[] content)
    {
        Allocate(inode, 0, content.Length, "write");
        inode.SetData(content);
        Modified(inode);
    }

    /// <summary>Makes sure of room without changing the length.</summary>
    public void Reserve(Inode inode, long bytes) => Allocate(inode, 0, bytes, "reserve room for");

    public void SetLength(Inode inode, long length)
    {
        ThrowIfReadOnly("set the length of", inode);
        if (inode.Length != length)
        {
            inode.Allocated = Math.Min(inode.Allocated, length);
            inode.SetLength(length);
            Modified(inode);
        }
    }

    public void SetMetadata(Inode inode, in FileMetadata metadata)
    {
        ThrowIfReadOnly("set the metadata of", inode);
        if (inode.Metadata != metadata)
        {
            inode.Metadata = metadata;
            inode.ChangeTime = Nanoseconds;
            Watcher?.MetadataChanged(this, inode);
        }
    }

    /// <summary>An inode's path from the volume's root, by its first name; null where it has none.</summary>
    public string? PathOf(Inode inode)
    {
        var names = new List<string>();
        while (inode != Root)
        {
            if (inode.Places.Count == 0)
            {
                return null;
            }

            names.Add(inode.Places[0].Name);
            inode = inode.Places[0].Directory;
        }

        names.Reverse();
        return string.Join('/', names);
    }

    public FileSystemException Error(FileProblem problem, string action, FilePath path, string reason)
        => new(problem, action, $"/{Name}/{path}", reason);

    public static string Key(ReadOnlySpan<byte> name) => Encoding.Latin1.GetString(name);

    public static byte[] Bytes(string key) => Encoding.Latin1.GetBytes(key);

    private long Nanoseconds => (_now() * 100) + 1_700_000_000_000_000_000;

    /// <summary>The names of a path. The same few paths are asked for again and again.</summary>
    private string[] Components(FilePath path)
    {
        if (path.IsRoot)
        {
            return [];
        }

        if (!_components.TryGetValue(path, out string[]? names))
        {
            if (_components.Count == MostKnownPaths)
            {
                _components.Clear();
            }

            _components.Add(path, names = Key(path.Bytes).Split('/'));
        }

        return names;
    }

    private Inode Child(Inode inode, string name, string action, FilePath path) => inode.Kind switch
    {
        EntryKind.Directory => inode.Names.GetValueOrDefault(name) ?? throw Error(FileProblem.NotFound, action, path, "No such file or directory"),
        EntryKind.SymbolicLink => throw Error(FileProblem.LinkInPath, action, path, "Too many levels of symbolic links"),
        _ => throw Error(FileProblem.NotADirectory, action, path, "Not a directory"),
    };

    private void Modified(Inode inode, bool touches = true)
    {
        if (touches)
        {
            inode.Metadata = inode.Metadata with { ModifiedTime = Nanoseconds };
        }

        inode.ChangeTime = Nanoseconds;
        Watcher?.DataChanged(this, inode);
    }

    private Inode NewInode(EntryKind kind, ulong device) => new(_nextInode++, kind) { DeviceNumber = device, ChangeTime = Nanoseconds };

    /// <summary>Only what has no room yet needs some.</summary>
    private void Allocate(Inode inode, long offset, long length, string action)
    {
        if (offset + length <= inode.Allocated && !IsReadOnly)
        {
            return;
        }

        if (IsFull || IsReadOnly)
        {
            ThrowIfNoRoom(action, FilePath.FromText(PathOf(inode) ?? $"#{inode.Number}"));
        }

        if (offset <= inode.Allocated)
        {
            inode.Allocated = offset + length;
        }
    }

    private void ThrowIfNoRoom(string action, FilePath path)
    {
        ThrowIfReadOnly(action, path);
        if (IsFull)
        {
            throw Error(FileProblem.NoSpace, action, path, "No space left on device");
        }
    }

    private void ThrowIfReadOnly(string action, Inode inode)
    {
        if (IsReadOnly)
        {
            ThrowIfReadOnly(action, FilePath.FromText($"#{inode.Number}"));
        }
    }

    private void ThrowIfReadOnly(string action, FilePath path)
    {
        if (IsReadOnly)
        {
            throw Error(FileProblem.ReadOnly, action, path, "Read-only file system");
        }
    }
}

/// <summary>Told of what happens to a volume, in the very moment.</summary>
internal interface IVolumeWatcher
{
    /// <summary>A name came, went, or leads elsewhere.</summary>
    void NameChanged(Volume volume, Inode directory, string name, Inode? before, Inode? after);

    void DataChanged(Volume volume, Inode inode);

    void MetadataChanged(Volume volume, Inode inode);

    /// <summary>A file's content, as it is now, would survive a crash of the server.</summary>
    void MadeDurable(Volume volume, Inode inode);
}
