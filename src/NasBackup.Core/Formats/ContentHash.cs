using System.IO.Hashing;
using NasBackup.Files;

namespace NasBackup.Formats;

/// <summary>The XXH128 of a file's content, zeros of its holes included, as it is read piece by piece.</summary>
/// <remarks>Where holes are known to be, they are not read, and hashed much faster than zeros that are.</remarks>
internal sealed class ContentHash
{
    private const int BufferBytes = 1024 * 1024;

    private readonly XxHash128? _plain;
    private readonly SparseHash? _sparse;

    /// <summary>Begins with nothing.</summary>
    /// <param name="hasHoles">Whether <see cref="AppendZeros"/> will be called.</param>
    public ContentHash(bool hasHoles)
    {
        _plain = hasHoles ? null : new XxHash128();
        _sparse = hasHoles ? new SparseHash() : null;
    }

    /// <summary>The hash of all that was appended.</summary>
    public Hash128 Current => _plain is not null ? Hash128.Of(_plain) : _sparse!.Current;

    public void Append(ReadOnlySpan<byte> bytes)
    {
        if (_plain is not null)
        {
            _plain.Append(bytes);
        }
        else
        {
            _sparse!.Append(bytes);
        }
    }

    /// <summary>Appends that many zeros.</summary>
    public void AppendZeros(long count)
        => (_sparse ?? throw new InvalidOperationException("The hash was not made for a file with holes.")).AppendZeros(count);

    /// <summary>Hashes a whole file, without reading its holes.</summary>
    /// <param name="file">The file.</param>
    /// <param name="progress">Told now and then how many bytes were read since, 0 while a hole is passed over; it may throw to end it.</param>
    /// <returns>The hash, and the size in bytes that was hashed.</returns>
    /// <exception cref="FileSystemException">It cannot be read.</exception>
    public static (Hash128 Hash, long Size) OfFile(IFileHandle file, Action<int> progress)
    {
        long size = file.GetStatus().Size;
        bool hasHoles = !file.TryFindData(0, out long start, out long end) || start > 0 || end < size;
        var hash = new ContentHash(hasHoles);
        byte[] buffer = System.Buffers.ArrayPool<byte>.Shared.Rent((int)Math.Clamp(size, 1, BufferBytes));
        try
        {
            long at = 0;
            while (at < size)
            {
                if (!file.TryFindData(at, out start, out end))
                {
                    start = size;
                }

                for (; at < Math.Min(start, size); progress(0))
                {
                    long zeros = Math.Min(Math.Min(start, size) - at, SparseHash.ZerosAtOnce);
                    hash.AppendZeros(zeros);
                    at += zeros;
                }

                while (at < Math.Min(end, size))
                {
                    int read = file.ReadAt(buffer.AsSpan(0, (int)Math.Min(buffer.Length, Math.Min(end, size) - at)), at);
                    if (read == 0)
                    {
                        return (hash.Current, at);
                    }

                    hash.Append(buffer.AsSpan(0, read));
                    at += read;
                    progress(read);
                }
            }

            return (hash.Current, at);
        }
        finally
        {
            System.Buffers.ArrayPool<byte>.Shared.Return(buffer);
        }
    }
}
