namespace NasBackup.Files;

/// <summary>
/// A folder reached through System.IO, for Windows and macOS. What that cannot do is refused as
/// <see cref="FileProblem.NotSupported"/> or reported as lost: names that are not text, hard links, FIFOs and device
/// nodes, owners, extended attributes. Files of several names are several entries.
/// </summary>
/// <remarks>A link in a path is looked for before each operation, which another process can outrun.</remarks>
public sealed class PortableFileTree : IFileTree
{
    private static readonly char[] UnfitForNames = [.. Path.GetInvalidFileNameChars(), '\\'];

    private readonly DateTime _rootCreated;

    private PortableFileTree(string rootPath)
    {
        RootPath = rootPath;
        _rootCreated = Directory.GetCreationTimeUtc(rootPath);
        FileSystemName = Try("get the file system of", FilePath.Root, path => new DriveInfo(Path.GetFullPath(path)).DriveFormat);
    }

    /// <inheritdoc/>
    public string RootPath { get; }

    /// <inheritdoc/>
    public bool SyncsAsOne => false;

    /// <inheritdoc/>
    public string FileSystemName { get; }

    /// <summary>Opens a folder by its absolute path.</summary>
    /// <exception cref="FileSystemException">There is no such folder, or it cannot be read.</exception>
    public static PortableFileTree Open(string absolutePath)
    {
        const string Action = "open the folder";
        string path = Path.TrimEndingDirectorySeparator(absolutePath);
        return Directory.Exists(path) ? new PortableFileTree(path)
            : File.Exists(path) ? throw new FileSystemException(FileProblem.NotADirectory, Action, path, "it is not a folder")
            : throw new FileSystemException(FileProblem.NotFound, Action, path, "there is no such folder");
    }

    /// <inheritdoc/>
    /// <remarks>System.IO shows no number of a folder; the time of its creation has to do.</remarks>
    public bool IsStillInPlace() => Directory.Exists(RootPath) && Directory.GetCreationTimeUtc(RootPath) == _rootCreated;

    /// <inheritdoc/>
    public IFileHandle OpenRead(FilePath path)
        => Try("open", path, name =>
        {
            EntryKind kind = PortableStatus.Of(name).Kind;
            return kind == EntryKind.File
                ? OpenFile(name, path, FileMode.Open, FileAccess.Read)
                : throw new FileSystemException(ProblemOf(kind), "open", Show(path), $"it is not a regular file ({kind})");
        });

    /// <inheritdoc/>
    public IFileHandle CreateNew(FilePath path) => Try("create", path, name => OpenFile(name, path, FileMode.CreateNew, FileAccess.Write));

    /// <inheritdoc/>
    public IFileHandle OpenReadWrite(FilePath path)
        => Try("open", path, name => PortableStatus.Find(name) is { Kind: not EntryKind.File } found
            ? throw new FileSystemException(ProblemOf(found.Kind), "open", Show(path), $"it is not a regular file ({found.Kind})")
            : OpenFile(name, path, FileMode.OpenOrCreate, FileAccess.ReadWrite));

    /// <inheritdoc/>
    public FileStatus GetStatus(FilePath path) => Try("get the status of", path, PortableStatus.Of);

    /// <inheritdoc/>
    public bool CreateDirectory(FilePath path)
        => Try("make the folder", path, name =>
        {
            switch (PortableStatus.Find(name)?.Kind)
            {
                case EntryKind.Directory:
                    return false;
                case not null:
                    throw new FileSystemException(FileProblem.AlreadyExists, "make the folder", Show(path), "a file of that name exists");
            }

            // System.IO would make the folders above it as well.
            _ = PortableStatus.Of(Path.GetDirectoryName(name)!);
            if (OperatingSystem.IsWindows())
            {
                Directory.CreateDirectory(name);
            }
            else
            {
                Directory.CreateDirectory(name, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
            }

            return true;
        });

    /// <inheritdoc/>
    public void CreateSymbolicLink(FilePath path, ReadOnlySpan<byte> target)
    {
        const string Action = "make the symbolic link";
        string text = new FilePath(target.ToArray()).TryGetText(out string? valid) ? valid : throw NotText(Action, path);
        Try(Action, path, name => File.CreateSymbolicLink(name, text));
    }

    /// <inheritdoc/>
    public void CreateSpecial(FilePath path, EntryKind kind, ulong deviceNumber)
        => throw new FileSystemException(FileProblem.NotSupported, "make the FIFO or device node", Show(path), "this system has none, or .NET cannot make it");

    /// <inheritdoc/>
    public byte[] ReadLink(FilePath path)
        => Try("read the symbolic link", path, name => new FileInfo(name).LinkTarget is { } target
            ? System.Text.Encoding.UTF8.GetBytes(target)
            : throw new FileSystemException(FileProblem.Other, "read the symbolic link", Show(path), "it is not a symbolic link"));

    /// <inheritdoc/>
    public void Link(FilePath existing, FilePath added)
        => throw new FileSystemException(FileProblem.NotSupported, "link", Show(added), "hard links cannot be made on this system");

    /// <inheritdoc/>
    public void Rename(FilePath from, FilePath to)
        => Try("rename", from, source =>
        {
            string target = Locate("rename", to);
            if (PortableStatus.Of(source).Kind == EntryKind.Directory)
            {
                Directory.Move(source, target);
            }
            else
            {
                File.Move(source, target, overwrite: true);
            }

            return true;
        });

    /// <inheritdoc/>
    public bool Delete(FilePath path)
        => Try("delete", path, name =>
        {
            if (PortableStatus.Find(name) is not { } found)
            {
                return false;
            }

            if (found.Kind == EntryKind.Directory)
            {
                throw new FileSystemException(FileProblem.IsADirectory, "delete", Show(path), "it is a folder");
            }

            // On Windows, a link to a folder is itself a folder.
            if (File.GetAttributes(name).HasFlag(FileAttributes.Directory))
            {
                Directory.Delete(name);
            }
            else
            {
                File.Delete(name);
            }

            return true;
        });

    /// <inheritdoc/>
    public bool DeleteDirectory(FilePath path)
        => Try("delete the folder", path, name =>
        {
            switch (PortableStatus.Find(name)?.Kind)
            {
                case null:
                    return false;
                case EntryKind.Directory:
                    Directory.Delete(name, recursive: false);
                    return true;
                default:
                    throw new FileSystemException(FileProblem.NotADirectory, "delete the folder", Show(path), "it is not a folder");
            }
        });

    /// <inheritdoc/>
    public MetadataLoss SetMetadata(FilePath path, in FileMetadata metadata, EntryKind kind, ExtendedAttributes? attributes = null)
    {
        FileMetadata wanted = metadata;
        return Try("set mode and times of", path, name => PortableStatus.Apply(name, wanted, kind)) | PortableStatus.LossOf(attributes);
    }

    /// <summary>System.IO knows none.</summary>
    public ExtendedAttributes GetAttributes(FilePath path) => ExtendedAttributes.None;

    /// <inheritdoc/>
    public IReadOnlyList<DirectoryItem> ReadDirectory(FilePath path, bool withStatus = true)
        => Try("read the folder", path, name =>
        {
            var items = new List<DirectoryItem>();
            foreach (FileSystemInfo found in new DirectoryInfo(name).EnumerateFileSystemInfos("*", PortableStatus.Everything))
            {
                byte[] bytes = System.Text.Encoding.UTF8.GetBytes(found.Name);
                try
                {
                    items.Add(new DirectoryItem(bytes, withStatus ? PortableStatus.Of(found) : null, null));
                }
                catch (Exception problem) when (PortableErrors.IsFileProblem(problem))
                {
                    items.Add(new DirectoryItem(bytes, null, PortableErrors.ToException(problem, "get the status of", found.FullName)));
                }
            }

            return items;
        });

    /// <summary>Does nothing: System.IO can make only single files durable.</summary>
    public void SyncAll()
    {
    }

    /// <summary>Does nothing: Windows keeps names by its journal, and .NET cannot sync a folder on macOS.</summary>
    public void SyncDirectory(FilePath path)
    {
    }

    /// <inheritdoc/>
    public SpaceStatus GetSpace()
        => Try("get the free space of", FilePath.Root, path =>
        {
            var drive = new DriveInfo(Path.GetFullPath(path));
            return new SpaceStatus(drive.AvailableFreeSpace, drive.TotalSize, -1);
        });

    /// <summary>Nothing is kept open.</summary>
    public void Dispose()
    {
    }

    private static FileProblem ProblemOf(EntryKind kind) => kind switch
    {
        EntryKind.Directory => FileProblem.IsADirectory,
        EntryKind.SymbolicLink => FileProblem.LinkInPath,
        _ => FileProblem.NotSupported,
    };

    private PortableFileHandle OpenFile(string name, FilePath path, FileMode mode, FileAccess access)
    {
        // No buffer, and no locks: a share must do without .NET's.
        var options = new FileStreamOptions { Mode = mode, Access = access, Share = FileShare.ReadWrite | FileShare.Delete, BufferSize = 0 };
        if (!OperatingSystem.IsWindows() && mode != FileMode.Open)
        {
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        }

        return new PortableFileHandle(name, Show(path), options);
    }

    private string Show(FilePath path) => path.IsRoot ? RootPath : Path.Combine(RootPath, path.ToString());

    private FileSystemException NotText(string action, FilePath path)
        => new(FileProblem.NotSupported, action, Show(path), "this system has no such names");

    /// <summary>The path for System.IO, if no folder on the way is a link.</summary>
    private string Locate(string action, FilePath path)
    {
        string located = RootPath;
        if (path.IsRoot)
        {
            return located;
        }

        if (!LinuxWalk.IsBelowRoot(path.Bytes))
        {
            throw new FileSystemException(FileProblem.Other, action, Show(path), "it is not a path below the folder");
        }

        string[] names = path.TryGetText(out string? text) ? text.Split('/') : throw NotText(action, path);
        for (int i = 0; i < names.Length; i++)
        {
            if (names[i].IndexOfAny(UnfitForNames) >= 0)
            {
                throw NotText(action, path);
            }

            located = Path.Combine(located, names[i]);
            if (i < names.Length - 1 && new DirectoryInfo(located).LinkTarget is not null)
            {
                throw new FileSystemException(FileProblem.LinkInPath, action, Show(path), $"'{located}' is a symbolic link, and links are not followed");
            }
        }

        return located;
    }

    private T Try<T>(string action, FilePath path, Func<string, T> operation)
    {
        try
        {
            return operation(Locate(action, path));
        }
        catch (Exception problem) when (PortableErrors.IsFileProblem(problem))
        {
            throw PortableErrors.ToException(problem, action, Show(path));
        }
    }
}
