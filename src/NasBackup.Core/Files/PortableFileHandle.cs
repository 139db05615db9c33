using Microsoft.Win32.SafeHandles;

namespace NasBackup.Files;

/// <summary>An open file of a <see cref="PortableFileTree"/>.</summary>
/// <remarks>
/// <see cref="Read"/> and <see cref="Write"/> each go on where the last of their own kind ended, from the file's
/// beginning; <see cref="ReadAt"/> and <see cref="WriteAt"/> do not change that.
/// </remarks>
public sealed class PortableFileHandle : IFileHandle
{
    private readonly string _path;
    private readonly string _shown;
    private readonly FileStream _stream;
    private readonly SafeFileHandle _handle;
    private long _readOffset;
    private long _writeOffset;

    internal PortableFileHandle(string path, string shown, FileStreamOptions options)
    {
        _path = path;
        _shown = shown;
        _stream = new FileStream(path, options);
        _handle = _stream.SafeFileHandle;
    }

    /// <inheritdoc/>
    public FileStatus GetStatus() => Try("get the status of", () => PortableStatus.Of(_path) with { Size = RandomAccess.GetLength(_handle) });

    /// <inheritdoc/>
    public int Read(Span<byte> buffer)
    {
        int count = ReadOnce(buffer, _readOffset);
        _readOffset += count;
        return count;
    }

    /// <inheritdoc/>
    public int ReadAt(Span<byte> buffer, long offset)
    {
        int total = 0;
        while (total < buffer.Length)
        {
            int count = ReadOnce(buffer[total..], offset + total);
            if (count == 0)
            {
                break;
            }

            total += count;
        }

        return total;
    }

    /// <inheritdoc/>
    public void Write(ReadOnlySpan<byte> bytes)
    {
        WriteAt(bytes, _writeOffset);
        _writeOffset += bytes.Length;
    }

    /// <inheritdoc/>
    public void WriteAt(ReadOnlySpan<byte> bytes, long offset)
    {
        try
        {
            RandomAccess.Write(_handle, bytes, offset);
        }
        catch (Exception problem) when (PortableErrors.IsFileProblem(problem))
        {
            throw PortableErrors.ToException(problem, "write to", _shown);
        }
    }

    /// <inheritdoc/>
    public void SetLength(long length) => Try("set the length of", () => RandomAccess.SetLength(_handle, length));

    /// <summary>Does nothing: System.IO reserves room only when it creates a file, and changes the length with it.</summary>
    public void Reserve(long bytes)
    {
    }

    /// <summary>System.IO does not tell where holes are: all of the file is read.</summary>
    public bool TryFindData(long offset, out long start, out long end)
    {
        (start, end) = (offset, long.MaxValue);
        return true;
    }

    /// <summary>System.IO cannot do it.</summary>
    public bool TryCloneFrom(IFileHandle source) => false;

    /// <summary>System.IO knows none.</summary>
    public ExtendedAttributes GetAttributes() => ExtendedAttributes.None;

    /// <inheritdoc/>
    public MetadataLoss SetMetadata(in FileMetadata metadata, ExtendedAttributes? attributes = null)
    {
        FileMetadata wanted = metadata;
        return Try("set mode and times of", () => PortableStatus.Apply(_path, wanted, EntryKind.File)) | PortableStatus.LossOf(attributes);
    }

    /// <inheritdoc/>
    public void Sync() => Try("make durable", () => RandomAccess.FlushToDisk(_handle));

    /// <summary>Closes. System.IO keeps to itself what the system says then; whoever must know calls <see cref="Sync"/>.</summary>
    public void Close() => _stream.Dispose();

    /// <inheritdoc/>
    public void Dispose() => _stream.Dispose();

    private int ReadOnce(Span<byte> buffer, long offset)
    {
        try
        {
            return RandomAccess.Read(_handle, buffer, offset);
        }
        catch (Exception problem) when (PortableErrors.IsFileProblem(problem))
        {
            throw PortableErrors.ToException(problem, "read", _shown);
        }
    }

    private void Try(string action, Action operation) => Try(action, () =>
    {
        operation();
        return true;
    });

    private T Try<T>(string action, Func<T> operation)
    {
        try
        {
            return operation();
        }
        catch (Exception problem) when (PortableErrors.IsFileProblem(problem))
        {
            throw PortableErrors.ToException(problem, action, _shown);
        }
    }
}
