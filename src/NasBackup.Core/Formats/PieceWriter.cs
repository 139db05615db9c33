using NasBackup.Files;
using ZstdSharp;

namespace NasBackup.Formats;

/// <summary>
/// Writes text as a row of zstd frames, each of a piece of it, and signed where the cluster has a key. A piece is compressed
/// while the caller makes the next one; the file is touched on the caller's thread alone.
/// </summary>
internal sealed class PieceWriter : IDisposable
{
    /// <summary>Bytes of text in a piece, at most.</summary>
    public const int PieceLength = 256 * 1024;

    // Small: lists are written while files are planned and read while files move, so speed matters more than size.
    private const int CompressionLevel = 1;

    private readonly IFileHandle _handle;
    private readonly Sealer _sealer;
    private readonly string _place;
    private readonly Compressor _compressor = new(CompressionLevel);
    private readonly byte[] _text = new byte[PieceLength];
    private readonly byte[] _frame = new byte[Compressor.GetCompressBound(PieceLength)];
    private Task<int>? _compressing;
    private long _number;

    /// <summary>Begins a file that is empty.</summary>
    /// <param name="handle">The file; stays open.</param>
    /// <param name="sealer">The cluster's key, where it has one.</param>
    /// <param name="place">Where the file belongs, for its tags.</param>
    public PieceWriter(IFileHandle handle, Sealer sealer, string place) => (_handle, _sealer, _place) = (handle, sealer, place);

    /// <summary>Takes a piece; it is in the file when the next one has been taken, or all is complete.</summary>
    /// <exception cref="FileSystemException">The piece before cannot be written.</exception>
    public void Write(ReadOnlySpan<byte> text)
    {
        Complete();
        text.CopyTo(_text);
        int length = text.Length;
        _compressing = Task.Run(() => _compressor.Wrap(_text.AsSpan(0, length), _frame));
    }

    /// <summary>Returns when all pieces are in the file.</summary>
    /// <exception cref="FileSystemException">The last one cannot be written.</exception>
    public void Complete()
    {
        if (_compressing is not { } compressing)
        {
            return;
        }

        int length = compressing.GetAwaiter().GetResult();
        _compressing = null;
        if (_sealer.IsKeyed)
        {
            _handle.Write(SignedPieces.Head(_frame.AsSpan(0, length), _sealer, _place, _number++));
        }

        _handle.Write(_frame.AsSpan(0, length));
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        // What compresses must not lose its compressor on the way.
        _compressing?.Wait();
        _compressor.Dispose();
    }
}
