using NasBackup.Files;

namespace NasBackup.Simulation.Storage;

/// <summary>A file that a process of one machine has open.</summary>
internal sealed class NodeHandle(IWorld world, ClientMount mount, Inode inode, string path) : IFileHandle
{
    private long _position;

    public FileStatus GetStatus() => Do(Operation.GetStatus, () => mount.Status(inode));

    public int Read(Span<byte> buffer)
    {
        int read = ReadAt(buffer, _position);
        _position += read;
        return read;
    }

    public unsafe int ReadAt(Span<byte> buffer, long offset)
    {
        // A span cannot wait for its turn; where it lies, and stays, can.
        fixed (byte* start = buffer)
        {
            (nint place, int length) = ((nint)start, buffer.Length);
            return Do(Operation.Read, () => mount.Read(inode, new Span<byte>((void*)place, length), offset));
        }
    }

    public void Write(ReadOnlySpan<byte> bytes)
    {
        WriteAt(bytes, _position);
        _position += bytes.Length;
    }

    public void WriteAt(ReadOnlySpan<byte> bytes, long offset)
    {
        byte[] copy = GC.AllocateUninitializedArray<byte>(bytes.Length);
        bytes.CopyTo(copy);
        Do(Operation.Write, () =>
        {
            mount.Write(inode, offset, copy);
            return true;
        });
    }

    public void SetLength(long length) => Do(Operation.SetLength, () =>
    {
        mount.SetLength(inode, length);
        return true;
    });

    public void Reserve(long bytes) => Do(Operation.Reserve, () =>
    {
        mount.Volume.Reserve(inode, bytes);
        return true;
    });

    public bool TryFindData(long offset, out long start, out long end)
    {
        (start, end) = (offset, long.MaxValue);
        return offset < mount.Length(inode);
    }

    public bool TryCloneFrom(IFileHandle source) => false;

    public ExtendedAttributes GetAttributes() => ExtendedAttributes.None;

    public MetadataLoss SetMetadata(in FileMetadata metadata, ExtendedAttributes? attributes = null)
    {
        FileMetadata wanted = metadata;
        return Do(Operation.SetMetadata, () =>
        {
            mount.SetMetadata(inode, wanted);
            return MetadataLoss.None;
        });
    }

    public void Sync() => Do(Operation.Sync, () =>
    {
        mount.Sync(inode, world.Pass);
        return true;
    });

    public void Close() => Do(Operation.Close, () =>
    {
        if (mount.Volume.CommitsAtClose)
        {
            mount.Sync(inode);
        }

        return true;
    });

    public void Dispose()
    {
    }

    private T Do<T>(Operation operation, Func<T> effect) => world.Do(mount, operation, path, () =>
    {
        if (mount.IsStale)
        {
            throw mount.Volume.Error(FileProblem.Stale, "use", FilePath.FromText(path), "Stale file handle");
        }

        return effect();
    });
}
