using NasBackup.Files;

namespace NasBackup.Tests.Coordination;

/// <summary>A tree whose open files fail to write or sync while it is told so.</summary>
internal sealed class FailingTree(IFileTree inner) : IFileTree
{
    public bool Fails { get; set; }

    /// <summary>Whether the bytes arrive and only their sync fails.</summary>
    public bool WritesBeforeItFails { get; init; }

    public string RootPath => inner.RootPath;

    public bool SyncsAsOne => inner.SyncsAsOne;

    public string FileSystemName => inner.FileSystemName;

    public bool IsStillInPlace() => inner.IsStillInPlace();

    public IFileHandle OpenRead(FilePath path) => inner.OpenRead(path);

    public IFileHandle CreateNew(FilePath path) => new Handle(this, inner.CreateNew(path));

    public IFileHandle OpenReadWrite(FilePath path) => new Handle(this, inner.OpenReadWrite(path));

    public FileStatus GetStatus(FilePath path) => inner.GetStatus(path);

    public bool CreateDirectory(FilePath path) => inner.CreateDirectory(path);

    public void CreateSymbolicLink(FilePath path, ReadOnlySpan<byte> target) => inner.CreateSymbolicLink(path, target);

    public void CreateSpecial(FilePath path, EntryKind kind, ulong deviceNumber) => inner.CreateSpecial(path, kind, deviceNumber);

    public byte[] ReadLink(FilePath path) => inner.ReadLink(path);

    public void Link(FilePath existing, FilePath added) => inner.Link(existing, added);

    public void Rename(FilePath from, FilePath to) => inner.Rename(from, to);

    public bool Delete(FilePath path) => inner.Delete(path);

    public bool DeleteDirectory(FilePath path) => inner.DeleteDirectory(path);

    public MetadataLoss SetMetadata(FilePath path, in FileMetadata metadata, EntryKind kind, ExtendedAttributes? attributes = null)
        => inner.SetMetadata(path, metadata, kind, attributes);

    public ExtendedAttributes GetAttributes(FilePath path) => inner.GetAttributes(path);

    public IReadOnlyList<DirectoryItem> ReadDirectory(FilePath path, bool withStatus = true) => inner.ReadDirectory(path, withStatus);

    public void SyncAll() => inner.SyncAll();

    public void SyncDirectory(FilePath path) => inner.SyncDirectory(path);

    public SpaceStatus GetSpace() => inner.GetSpace();

    public void Dispose()
    {
    }

    private void ThrowIfFailing()
    {
        if (Fails)
        {
            throw new FileSystemException(FileProblem.InputOutput, "write", RootPath, "of the test");
        }
    }

    private sealed class Handle(FailingTree tree, IFileHandle inner) : IFileHandle
    {
        public FileStatus GetStatus() => inner.GetStatus();

        public int Read(Span<byte> buffer) => inner.Read(buffer);

        public int ReadAt(Span<byte> buffer, long offset) => inner.ReadAt(buffer, offset);

        public void Write(ReadOnlySpan<byte> bytes)
        {
            tree.ThrowIfFailing();
            inner.Write(bytes);
        }

        public void WriteAt(ReadOnlySpan<byte> bytes, long offset)
        {
            if (!tree.WritesBeforeItFails)
            {
                tree.ThrowIfFailing();
            }

            inner.WriteAt(bytes, offset);
        }

        public void SetLength(long length) => inner.SetLength(length);

        public void Reserve(long bytes) => inner.Reserve(bytes);

        public bool TryFindData(long offset, out long start, out long end) => inner.TryFindData(offset, out start, out end);

        public bool TryCloneFrom(IFileHandle source) => inner.TryCloneFrom(source);

        public ExtendedAttributes GetAttributes() => inner.GetAttributes();

        public MetadataLoss SetMetadata(in FileMetadata metadata, ExtendedAttributes? attributes = null) => inner.SetMetadata(metadata, attributes);

        public void Sync()
        {
            tree.ThrowIfFailing();
            inner.Sync();
        }

        public void Close() => inner.Close();

        public void Dispose() => inner.Dispose();
    }
}
