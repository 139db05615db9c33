using NasBackup.Files;

namespace NasBackup.Tests.Fuzz;

/// <summary>A tree of files in memory that can only be read, so that a hundred thousand inputs take no minutes.</summary>
internal sealed class MemoryFiles(string rootPath, IReadOnlyDictionary<string, byte[]> files) : IFileTree
{
    public string RootPath => rootPath;

    public bool SyncsAsOne => true;

    public string FileSystemName => "memory";

    public bool IsStillInPlace() => true;

    public IFileHandle OpenRead(FilePath path) => new MemoryFile(Find(path));

    public FileStatus GetStatus(FilePath path) => StatusOf(Find(path));

    public IReadOnlyList<DirectoryItem> ReadDirectory(FilePath path, bool withStatus = true)
    {
        string prefix = path.IsRoot ? "" : path + "/";
        return [.. files.Keys
            .Where(name => name.StartsWith(prefix, StringComparison.Ordinal))
            .Select(name => name[prefix.Length..].Split('/')[0])
            .Distinct(StringComparer.Ordinal)
            .Select(name => new DirectoryItem(FilePath.Parse(name).Bytes.ToArray(), null, null))];
    }

    public IFileHandle CreateNew(FilePath path) => throw ReadOnly(path);

    public IFileHandle OpenReadWrite(FilePath path) => throw ReadOnly(path);

    public bool CreateDirectory(FilePath path) => throw ReadOnly(path);

    public void CreateSymbolicLink(FilePath path, ReadOnlySpan<byte> target) => throw ReadOnly(path);

    public void CreateSpecial(FilePath path, EntryKind kind, ulong deviceNumber) => throw ReadOnly(path);

    public byte[] ReadLink(FilePath path) => throw ReadOnly(path);

    public void Link(FilePath existing, FilePath added) => throw ReadOnly(added);

    public void Rename(FilePath from, FilePath to) => throw ReadOnly(to);

    public bool Delete(FilePath path) => throw ReadOnly(path);

    public bool DeleteDirectory(FilePath path) => throw ReadOnly(path);

    public MetadataLoss SetMetadata(FilePath path, in FileMetadata metadata, EntryKind kind, ExtendedAttributes? attributes = null) => throw ReadOnly(path);

    public ExtendedAttributes GetAttributes(FilePath path) => ExtendedAttributes.None;

    public void SyncAll()
    {
    }

    public void SyncDirectory(FilePath path)
    {
    }

    public SpaceStatus GetSpace() => new(long.MaxValue, long.MaxValue, -1);

    public void Dispose()
    {
    }

    private static FileStatus StatusOf(byte[] bytes) => new(EntryKind.File, bytes.Length, default, 0, 0, 0, 1, 0);

    private byte[] Find(FilePath path) => files.TryGetValue(path.ToString(), out byte[]? bytes)
        ? bytes
        : throw new FileSystemException(FileProblem.NotFound, "open", $"{rootPath}/{path}", "no such file");

    private FileSystemException ReadOnly(FilePath path) => new(FileProblem.ReadOnly, "write", $"{rootPath}/{path}", "read-only");

    private sealed class MemoryFile(byte[] bytes) : IFileHandle
    {
        private int _position;

        public FileStatus GetStatus() => StatusOf(bytes);

        public int Read(Span<byte> buffer)
        {
            int read = ReadAt(buffer, _position);
            _position += read;
            return read;
        }

        public int ReadAt(Span<byte> buffer, long offset)
        {
            int length = (int)Math.Clamp(bytes.Length - offset, 0, buffer.Length);
            bytes.AsSpan((int)Math.Min(offset, bytes.Length), length).CopyTo(buffer);
            return length;
        }

        public void Write(ReadOnlySpan<byte> bytes) => throw new NotSupportedException();

        public void WriteAt(ReadOnlySpan<byte> bytes, long offset) => throw new NotSupportedException();

        public void SetLength(long length) => throw new NotSupportedException();

        public void Reserve(long bytes) => throw new NotSupportedException();

        public bool TryFindData(long offset, out long start, out long end)
        {
            (start, end) = (offset, bytes.Length);
            return offset < bytes.Length;
        }

        public bool TryCloneFrom(IFileHandle source) => false;

        public ExtendedAttributes GetAttributes() => ExtendedAttributes.None;

        public MetadataLoss SetMetadata(in FileMetadata metadata, ExtendedAttributes? attributes = null) => throw new NotSupportedException();

        public void Sync() => throw new NotSupportedException();

        public void Close()
        {
        }

        public void Dispose()
        {
        }
    }
}
