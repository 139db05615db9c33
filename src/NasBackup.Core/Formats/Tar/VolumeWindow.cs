using System.Buffers;
using NasBackup.Files;

namespace NasBackup.Formats.Tar;

/// <summary>Reads pieces of a volume; small ones that lie close together with one call. For one thread.</summary>
internal sealed class VolumeWindow : IDisposable
{
    private const int WindowBytes = 32 * 1024;

    private readonly IFileHandle _volume;
    private byte[] _window = ArrayPool<byte>.Shared.Rent(WindowBytes);
    private long _start;
    private int _length;

    /// <summary>Takes an open volume, which stays open.</summary>
    public VolumeWindow(IFileHandle volume) => _volume = volume;

    /// <summary>Bytes at an offset; fewer only at the volume's end. Valid until the next call.</summary>
    /// <exception cref="FileSystemException">They cannot be read.</exception>
    public ReadOnlySpan<byte> Read(long offset, int count)
    {
        if (offset < _start || offset + count > _start + _length)
        {
            if (count > _window.Length)
            {
                ArrayPool<byte>.Shared.Return(_window);
                _window = ArrayPool<byte>.Shared.Rent(count);
            }

            _length = 0;
            _start = offset;
            _length = _volume.ReadAt(_window, offset);
        }

        int at = (int)(offset - _start);
        return _window.AsSpan(at, Math.Clamp(_length - at, 0, count));
    }

    /// <summary>Some bytes from an offset on, as many as are at hand; none only at the end.</summary>
    /// <param name="offset">Where.</param>
    /// <param name="end">No further than this.</param>
    public ReadOnlyMemory<byte> Some(long offset, long end)
    {
        int count = (int)Math.Min(WindowBytes / 2, end - offset);
        if (count <= 0 || Read(offset, count).IsEmpty)
        {
            return default;
        }

        int at = (int)(offset - _start);
        return _window.AsMemory(at, (int)Math.Min(_length - at, end - offset));
    }

    /// <summary>Fills a buffer from an offset on, from what is at hand or past it.</summary>
    /// <returns>How many bytes; fewer than asked for only at the end.</returns>
    public int ReadInto(Span<byte> buffer, long offset)
    {
        if (offset >= _start && offset + buffer.Length <= _start + _length)
        {
            _window.AsSpan((int)(offset - _start), buffer.Length).CopyTo(buffer);
            return buffer.Length;
        }

        return _volume.ReadAt(buffer, offset);
    }

    public void Dispose()
    {
        ArrayPool<byte>.Shared.Return(_window);
        _window = [];
        _length = 0;
    }
}
