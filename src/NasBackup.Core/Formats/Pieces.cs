using NasBackup.Files;
using ZstdSharp;

namespace NasBackup.Formats;

/// <summary>Text that becomes a row of zstd frames, each of a piece of it. For one thread at a time.</summary>
internal sealed class PieceCompressor : IDisposable
{
    /// <summary>Bytes of text in a piece, at most.</summary>
    public const int PieceLength = 256 * 1024;

    // Small: lists are written while files are planned and read while files move, so speed matters more than size.
    private const int CompressionLevel = 1;

    private readonly Compressor _compressor = new(CompressionLevel);
    private readonly List<(byte[] Frame, int Length)> _frames = [];
    private int _count;

    /// <summary>The frames since the last call of <see cref="Clear"/>, in order.</summary>
    public IEnumerable<ReadOnlyMemory<byte>> Frames => _frames.Take(_count).Select(frame => new ReadOnlyMemory<byte>(frame.Frame, 0, frame.Length));

    /// <summary>Compresses text, in as many pieces as it takes.</summary>
    public void Compress(ReadOnlySpan<byte> text)
    {
        while (!text.IsEmpty)
        {
            ReadOnlySpan<byte> piece = text[..Math.Min(text.Length, PieceLength)];
            if (_count == _frames.Count)
            {
                _frames.Add((GC.AllocateUninitializedArray<byte>(Compressor.GetCompressBound(piece.Length)), 0));
            }

            byte[] frame = _frames[_count].Frame;
            if (frame.Length < Compressor.GetCompressBound(piece.Length))
            {
                frame = GC.AllocateUninitializedArray<byte>(Compressor.GetCompressBound(PieceLength));
            }

            _frames[_count++] = (frame, _compressor.Wrap(piece, frame));
            text = text[piece.Length..];
        }
    }

    /// <summary>Forgets the frames; their room is used again.</summary>
    public void Clear() => _count = 0;

    /// <inheritdoc/>
    public void Dispose() => _compressor.Dispose();
}

/// <summary>Writes frames into a file, each signed where the cluster has a key.</summary>
/// <param name="handle">The file, empty; stays open.</param>
/// <param name="sealer">The cluster's key, where it has one.</param>
/// <param name="place">Where the file belongs, for its tags.</param>
internal sealed class PieceWriter(IFileHandle handle, Sealer sealer, string place)
{
    private long _number;

    /// <summary>Appends frames.</summary>
    /// <exception cref="FileSystemException">They cannot be written.</exception>
    public void Write(IEnumerable<ReadOnlyMemory<byte>> frames)
    {
        foreach (ReadOnlyMemory<byte> frame in frames)
        {
            if (sealer.IsKeyed)
            {
                handle.Write(SignedPieces.Head(frame.Span, sealer, place, _number++));
            }

            handle.Write(frame.Span);
        }
    }
}
