using NasBackup.Files;

namespace NasBackup.Tests.Files;

/// <summary>A tree in which one folder cannot be read, and which may have gone away.</summary>
internal sealed class TreeWithFault(IFileTree inner, FilePath unreadable, FileProblem problem, bool isInPlace = true) : IFileTree
{
    public string RootPath => inner.RootPath;

    public bool SyncsAsOne => inner.SyncsAsOne;

    public string FileSystemName => inner.FileSystemName;

    public bool IsStillInPlace() => isInPlace;

    public IReadOnlyList<DirectoryItem> ReadDirectory(FilePath path, bool withStatus = true)
        => path == unreadable
            ? throw new FileSystemException(problem, "read the folder", path.ToString(), "of the test")
            : inner.ReadDirectory(path, withStatus);

    public IFileHandle OpenRead(FilePath path) => inner.OpenRead(path);

    public FileStatus GetStatus(FilePath path) => inner.GetStatus(path);

    public IFileHandle CreateNew(FilePath path) => throw new NotSupportedException();

    public IFileHandle OpenReadWrite(FilePath path) => throw new NotSupportedException();

    public bool CreateDirectory(FilePath path) => throw new NotSupportedException();

    public void CreateSymbolicLink(FilePath path, ReadOnlySpan<byte> target) => throw new NotSupportedException();

    public void CreateSpecial(FilePath path, EntryKind kind, ulong deviceNumber) => throw new NotSupportedException();

    public byte[] ReadLink(FilePath path) => throw new NotSupportedException();

    public void Link(FilePath existing, FilePath added) => throw new NotSupportedException();

    public void Rename(FilePath from, FilePath to) => throw new NotSupportedException();

    public bool Delete(FilePath path) => throw new NotSupportedException();

    public bool DeleteDirectory(FilePath path) => throw new NotSupportedException();

    public MetadataLoss SetMetadata(FilePath path, in FileMetadata metadata, EntryKind kind, ExtendedAttributes? attributes = null) => throw new NotSupportedException();

    public ExtendedAttributes GetAttributes(FilePath path) => inner.GetAttributes(path);

    public void SyncAll() => throw new NotSupportedException();

    public void SyncDirectory(FilePath path) => throw new NotSupportedException();

    public SpaceStatus GetSpace() => throw new NotSupportedException();

    public void Dispose()
    {
    }
}
