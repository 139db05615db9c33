using NasBackup.Files;

namespace NasBackup.Simulation.Defects;

/// <summary>Hands everything on to another tree; what is to be different is overridden.</summary>
internal class DelegatingTree(IFileTree inner) : IFileTree
{
    public virtual string RootPath => inner.RootPath;

    public virtual bool SyncsAsOne => inner.SyncsAsOne;

    public virtual string FileSystemName => inner.FileSystemName;

    protected IFileTree Inner => inner;

    public virtual bool IsStillInPlace() => inner.IsStillInPlace();

    public virtual IFileHandle OpenRead(FilePath path) => inner.OpenRead(path);

    public virtual IFileHandle CreateNew(FilePath path) => inner.CreateNew(path);

    public virtual IFileHandle OpenReadWrite(FilePath path) => inner.OpenReadWrite(path);

    public virtual FileStatus GetStatus(FilePath path) => inner.GetStatus(path);

    public virtual bool CreateDirectory(FilePath path) => inner.CreateDirectory(path);

    public virtual void CreateSymbolicLink(FilePath path, ReadOnlySpan<byte> target) => inner.CreateSymbolicLink(path, target);

    public virtual void CreateSpecial(FilePath path, EntryKind kind, ulong deviceNumber) => inner.CreateSpecial(path, kind, deviceNumber);

    public virtual byte[] ReadLink(FilePath path) => inner.ReadLink(path);

    public virtual void Link(FilePath existing, FilePath added) => inner.Link(existing, added);

    public virtual void Rename(FilePath from, FilePath to) => inner.Rename(from, to);

    public virtual bool Delete(FilePath path) => inner.Delete(path);

    public virtual bool DeleteDirectory(FilePath path) => inner.DeleteDirectory(path);

    public virtual MetadataLoss SetMetadata(FilePath path, in FileMetadata metadata, EntryKind kind, ExtendedAttributes? attributes = null)
        => inner.SetMetadata(path, metadata, kind, attributes);

    public virtual ExtendedAttributes GetAttributes(FilePath path) => inner.GetAttributes(path);

    public virtual IReadOnlyList<DirectoryItem> ReadDirectory(FilePath path, bool withStatus = true) => inner.ReadDirectory(path, withStatus);

    public virtual void SyncAll() => inner.SyncAll();

    public virtual void SyncDirectory(FilePath path) => inner.SyncDirectory(path);

    public virtual SpaceStatus GetSpace() => inner.GetSpace();

    public void Dispose() => inner?.Dispose();
}

/// <summary>Hands everything on to another handle; to none where all is overridden.</summary>
internal class DelegatingHandle(IFileHandle inner) : IFileHandle
{
    protected IFileHandle Inner => inner;

    public virtual FileStatus GetStatus() => inner.GetStatus();

    public virtual int Read(Span<byte> buffer) => inner.Read(buffer);

    public virtual int ReadAt(Span<byte> buffer, long offset) => inner.ReadAt(buffer, offset);

    public virtual void Write(ReadOnlySpan<byte> bytes) => inner.Write(bytes);

    public virtual void WriteAt(ReadOnlySpan<byte> bytes, long offset) => inner.WriteAt(bytes, offset);

    public virtual void SetLength(long length) => inner.SetLength(length);

    public virtual void Reserve(long bytes) => inner.Reserve(bytes);

    public virtual MetadataLoss SetMetadata(in FileMetadata metadata, ExtendedAttributes? attributes = null) => inner.SetMetadata(metadata, attributes);

    public virtual bool TryFindData(long offset, out long start, out long end) => inner.TryFindData(offset, out start, out end);

    public virtual bool TryCloneFrom(IFileHandle source) => inner.TryCloneFrom(source);

    public virtual ExtendedAttributes GetAttributes() => inner.GetAttributes();

    public virtual void Sync() => inner.Sync();

    public virtual void Close() => inner.Close();

    public void Dispose() => inner?.Dispose();
}
