using System.Buffers;
using System.IO.Hashing;
using NasBackup.Files;
using ZstdSharp;

namespace NasBackup.Formats;

/// <summary>Reads what <see cref="JsonLineWriter{T}"/> wrote, line by line, and never holds more than a line.</summary>
internal sealed class JsonLineReader : IDisposable
{
    /// <summary>No line of ours is longer: names of an inode with very many hard links are the longest.</summary>
    private const int LongestLine = 64 * 1024 * 1024;

    /// <summary>As a power of two: memory that a compressed file may ask for. What is written here asks for far less.</summary>
    private const int LargestWindow = 23;

    private readonly IFileHandle _handle;
    private readonly Stream _text;
    private readonly XxHash128 _sum = new();
    private readonly string _name;
    private byte[] _buffer = ArrayPool<byte>.Shared.Rent(128 * 1024);
    private int _start;
    private int _end;
    private int _lineStart;
    private int _lineLength;

    // Lines that count and are not in the sum yet: hashing many in one go is far cheaper than one by one.
    private int _countedFrom;
    private int _countedTo;

    /// <summary>Reads a file from its start; it is closed with the reader.</summary>
    /// <param name="handle">The file.</param>
    /// <param name="name">What it is called in messages.</param>
    /// <param name="sealer">The cluster's key, where it has one: then the file must be signed.</param>
    /// <param name="place">Where the file belongs, for its tags.</param>
    public JsonLineReader(IFileHandle handle, string name, Sealer? sealer = null, string place = "")
    {
        _handle = handle;
        _name = name;
        if (sealer is { IsKeyed: true })
        {
            _text = new SignedPieces.Reader(handle, sealer, place, what => new BackupException(
                ErrorIds.SignatureInvalid, ErrorKind.AccessDenied, $"'{_name}' is not obeyed: {what} (behind line {Line}).", _name));
            return;
        }

        var decompressor = new DecompressionStream(new FileHandleStream(handle));
        decompressor.SetParameter(ZstdSharp.Unsafe.ZSTD_dParameter.ZSTD_d_windowLogMax, LargestWindow);
        _text = decompressor;
    }

    /// <summary>The number of the line that was read last, from 1.</summary>
    public long Line { get; private set; }

    /// <summary>The next line without its end, valid until the next call; false at the end of the file.</summary>
    public bool TryRead(out ReadOnlySpan<byte> line)
    {
        int scanned = _start;
        while (true)
        {
            int end = _buffer.AsSpan(scanned, _end - scanned).IndexOf((byte)'\n');
            if (end >= 0)
            {
                end += scanned;
                line = _buffer.AsSpan(_start, end - _start);
                _lineStart = _start;
                _lineLength = end + 1 - _start;
                _start = end + 1;
                Line++;
                return true;
            }

            scanned = _end;
            if (!Fill(ref scanned))
            {
                if (_end > _start)
                {
                    throw Damaged("the last line has no end");
                }

                line = default;
                return false;
            }
        }
    }

    /// <summary>Counts the line that was read last into the sum; call it for every line but the last one.</summary>
    public void AddToSum()
    {
        if (_countedTo != _lineStart)
        {
            HashCounted();
            _countedFrom = _lineStart;
        }

        _countedTo = _lineStart + _lineLength;
    }

    /// <summary>The hash of all lines that were added.</summary>
    public Hash128 Sum
    {
        get
        {
            HashCounted();
            return Hash128.Of(_sum);
        }
    }

    /// <summary>The error for a file whose content is not what it should be, with file and line.</summary>
    public BackupException Damaged(string what, Exception? inner = null) => new(
        ErrorIds.RecordDamaged,
        ErrorKind.InvalidData,
        $"'{_name}' is damaged at line {Line}: {what}.",
        _name,
        inner);

    /// <inheritdoc/>
    public void Dispose()
    {
        _text.Dispose();
        _handle.Dispose();
        if (_buffer.Length > 0)
        {
            HashCounted();
            (_countedFrom, _countedTo) = (0, 0);
            ArrayPool<byte>.Shared.Return(_buffer);
            _buffer = [];
        }
    }

    private void HashCounted()
    {
        _sum.Append(_buffer.AsSpan(_countedFrom, _countedTo - _countedFrom));
        _countedFrom = _countedTo;
    }

    private bool Fill(ref int scanned)
    {
        if (_start > 0)
        {
            // What stands before the start is overwritten.
            HashCounted();
            (_countedFrom, _countedTo) = (0, 0);
            _buffer.AsSpan(_start, _end - _start).CopyTo(_buffer);
            scanned -= _start;
            _end -= _start;
            _start = 0;
        }

        if (_end == _buffer.Length)
        {
            if (_buffer.Length >= LongestLine)
            {
                throw Damaged("a line is longer than any that was written");
            }

            RentedBuffer.Lengthen(ref _buffer);
        }

        int read;
        try
        {
            read = _text.Read(_buffer.AsSpan(_end));
        }
        catch (Exception e) when (e is ZstdException or EndOfStreamException)
        {
            throw Damaged("its compression is broken", e);
        }

        _end += read;
        return read > 0;
    }
}
