using NasBackup.Files;

namespace NasBackup.Coordination;

/// <summary>
/// The share's folder, followed to wherever its path leads. The share may lie on the disk of one of the nodes and go over
/// with it (F14): what was opened is then an old mount that no longer counts, and the path leads to nothing, to an empty
/// folder, or to the new mount. While it leads to no folder that <c>isIt</c> knows, every operation fails as
/// <see cref="FileProblem.Stale"/>, so that nothing is written where nobody else reads; as soon as it does, work goes on
/// there. May be used by many threads.
/// </summary>
internal sealed class FollowingTree : IFileTree
{
    /// <summary>How long a look at the path holds good.</summary>
    private static readonly TimeSpan Trust = TimeSpan.FromMilliseconds(250);

    private readonly string _path;
    private readonly Func<string, IFileTree> _open;
    private readonly Func<IFileTree, bool> _isIt;
    private readonly TimeProvider _time;
    private readonly INodeGate _gate;
    private readonly List<IFileTree> _retired = [];
    private IFileTree _current;
    private long _lastLook;

    /// <summary>Follows a folder that has been opened.</summary>
    /// <param name="path">Where the folder is.</param>
    /// <param name="opened">The folder as it was opened there; it is closed with this tree.</param>
    /// <param name="open">Opens a folder.</param>
    /// <param name="isIt">Whether a folder is the one that is followed; it may throw <see cref="FileSystemException"/>.</param>
    /// <param name="runtime">The clock, and what makes gates.</param>
    public FollowingTree(string path, IFileTree opened, Func<string, IFileTree> open, Func<IFileTree, bool> isIt, INodeRuntime runtime)
    {
        (_path, _current, _open, _isIt, _time) = (path, opened, open, isIt, runtime.Time);
        _gate = runtime.NewGate();
        _lastLook = _time.GetTimestamp();
    }

    /// <summary>The folder that was opened last.</summary>
    public IFileTree Opened => _current;

    public string RootPath => _current.RootPath;

    public bool SyncsAsOne => _current.SyncsAsOne;

    public string FileSystemName => _current.FileSystemName;

    /// <summary>Whether the path leads to the folder, be it on a new mount.</summary>
    public bool IsStillInPlace()
    {
        try
        {
            _ = Current();
            return true;
        }
        catch (FileSystemException)
        {
            return false;
        }
    }

    /// <summary>Looks at each file that is opened for reading, or null where nobody does.</summary>
    public ShareGuard? Guard { get; set; }

    public IFileHandle OpenRead(FilePath path)
    {
        IFileTree tree = Current();
        IFileHandle handle = tree.OpenRead(path);
        try
        {
            Guard?.Check(tree, path, handle.GetStatus());
            return handle;
        }
        catch
        {
            handle.Dispose();
            throw;
        }
    }

    public IFileHandle CreateNew(FilePath path) => Open(tree => tree.CreateNew(path));

    public IFileHandle OpenReadWrite(FilePath path) => Open(tree => tree.OpenReadWrite(path));

    public FileStatus GetStatus(FilePath path) => Current().GetStatus(path);

    public bool CreateDirectory(FilePath path) => Current().CreateDirectory(path);

    public void CreateSymbolicLink(FilePath path, ReadOnlySpan<byte> target) => Current().CreateSymbolicLink(path, target);

    public void CreateSpecial(FilePath path, EntryKind kind, ulong deviceNumber) => Current().CreateSpecial(path, kind, deviceNumber);

    public byte[] ReadLink(FilePath path) => Current().ReadLink(path);

    public void Link(FilePath existing, FilePath added) => Current().Link(existing, added);

    public void Rename(FilePath from, FilePath to) => Current().Rename(from, to);

    public bool Delete(FilePath path) => Current().Delete(path);

    public bool DeleteDirectory(FilePath path) => Current().DeleteDirectory(path);

    public MetadataLoss SetMetadata(FilePath path, in FileMetadata metadata, EntryKind kind, ExtendedAttributes? attributes = null)
        => Current().SetMetadata(path, metadata, kind, attributes);

    public ExtendedAttributes GetAttributes(FilePath path) => Current().GetAttributes(path);

    public IReadOnlyList<DirectoryItem> ReadDirectory(FilePath path, bool withStatus = true) => Current().ReadDirectory(path, withStatus);

    public void SyncAll() => Current().SyncAll();

    public void SyncDirectory(FilePath path) => Current().SyncDirectory(path);

    public SpaceStatus GetSpace() => Current().GetSpace();

    public void Dispose()
    {
        using (_gate.Enter())
        {
            _current.Dispose();
            _retired.ForEach(tree => tree.Dispose());
        }
    }

    private Handle Open(Func<IFileTree, IFileHandle> open)
    {
        IFileTree tree = Current();
        return new Handle(this, tree, open(tree));
    }

    private IFileTree Current()
    {
        using (_gate.Enter())
        {
            if (_time.GetElapsedTime(_lastLook) < Trust)
            {
                return _current;
            }

            if (!_current.IsStillInPlace())
            {
                IFileTree found = Find();
                _retired.Add(_current);
                _current = found;
            }

            _lastLook = _time.GetTimestamp();
            return _current;
        }
    }

    private IFileTree Find()
    {
        IFileTree? found = null;
        try
        {
            found = _open(_path);
            if (_isIt(found))
            {
                return found;
            }
        }
        catch (FileSystemException e)
        {
            found?.Dispose();
            throw new FileSystemException(FileProblem.Stale, "reach", _path, $"it is away ({e.Reason})", e);
        }

        found.Dispose();
        throw new FileSystemException(FileProblem.Stale, "reach", _path, "what is there now is not the same folder; it may not be mounted");
    }

    /// <summary>A file that is written to: refuses once the folder that it was opened in has been left.</summary>
    private sealed class Handle(FollowingTree owner, IFileTree tree, IFileHandle inner) : IFileHandle
    {
        public FileStatus GetStatus() => inner.GetStatus();

        public int Read(Span<byte> buffer) => inner.Read(buffer);

        public int ReadAt(Span<byte> buffer, long offset) => inner.ReadAt(buffer, offset);

        public void Write(ReadOnlySpan<byte> bytes) => Current().Write(bytes);

        public void WriteAt(ReadOnlySpan<byte> bytes, long offset) => Current().WriteAt(bytes, offset);

        public void SetLength(long length) => Current().SetLength(length);

        public void Reserve(long bytes) => Current().Reserve(bytes);

        public bool TryFindData(long offset, out long start, out long end) => inner.TryFindData(offset, out start, out end);

        public bool TryCloneFrom(IFileHandle source) => Current().TryCloneFrom(source);

        public ExtendedAttributes GetAttributes() => inner.GetAttributes();

        public MetadataLoss SetMetadata(in FileMetadata metadata, ExtendedAttributes? attributes = null) => Current().SetMetadata(metadata, attributes);

        public void Sync() => Current().Sync();

        public void Close() => inner.Close();

        public void Dispose() => inner.Dispose();

        private IFileHandle Current() => owner.Current() == tree
            ? inner
            : throw new FileSystemException(FileProblem.Stale, "write to a file of", owner.RootPath, "the folder has been mounted anew since the file was opened");
    }
}
