using System.Buffers;
using System.IO.Hashing;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using NasBackup.Files;
using ZstdSharp;

namespace NasBackup.Formats;

/// <summary>
/// Writes a file of JSON lines, compressed with zstd: a sealed first line that says what it is, plain lines, and a sealed
/// last line whose <c>sum</c> covers all before it. <c>zstdcat FILE | jq</c> reads it. Lists and manifests have this form.
/// </summary>
internal sealed class JsonLineWriter : IDisposable
{
    // Small: lists are written while files are planned and read while files move, so speed matters more than size.
    private const int CompressionLevel = 1;
    private const int FlushBytes = 64 * 1024;

    private static readonly JsonWriterOptions Options = new()
    {
        // File names stay readable: only what JSON itself demands is escaped.
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        SkipValidation = true,
    };

    private readonly IFileHandle _handle;
    private readonly Sealer _sealer;
    private readonly string _place;
    private readonly CompressionStream? _stream;
    private readonly Compressor? _compressor;
    private readonly ArrayBufferWriter<byte> _buffer = new(FlushBytes * 2);
    private readonly ArrayBufferWriter<byte> _pending = new();
    private long _pieces;
    private readonly Utf8JsonWriter _json;
    private readonly XxHash128 _sum = new();

    /// <summary>Writes into a file that is empty; it is closed with the writer.</summary>
    /// <param name="handle">The file.</param>
    /// <param name="sealer">The cluster's key, where it has one: then the file is signed.</param>
    /// <param name="place">Where the file belongs, for its tags.</param>
    public JsonLineWriter(IFileHandle handle, Sealer? sealer = null, string place = "")
    {
        _handle = handle;
        _sealer = sealer ?? Sealer.Unkeyed;
        _place = place;
        if (_sealer.IsKeyed)
        {
            _compressor = new Compressor(CompressionLevel);
        }
        else
        {
            _stream = new CompressionStream(new FileHandleStream(handle), CompressionLevel);
        }

        _json = new Utf8JsonWriter(_buffer, Options);
    }

    /// <summary>Lines written so far.</summary>
    public long Lines { get; private set; }

    /// <summary>The hash of all that was written so far, uncompressed.</summary>
    public Hash128 Sum
    {
        get
        {
            Flush();
            return Hash128.Of(_sum);
        }
    }

    /// <summary>Writes a document as a sealed line.</summary>
    public void WriteSealed<T>(T document, JsonTypeInfo<T> type)
    {
        _buffer.Write(SealedJson.Seal(document, type));
        EndLine();
    }

    /// <summary>Writes a line; the caller writes exactly one JSON value.</summary>
    public void WriteLine<TState>(TState state, Action<Utf8JsonWriter, TState> write)
    {
        write(_json, state);
        _json.Flush();
        _json.Reset();
        EndLine();
    }

    /// <summary>Ends the compressed stream and makes the file durable.</summary>
    public void Complete()
    {
        Flush();
        WritePieces(all: true);
        _stream?.Dispose();
        _handle.Sync();
        _handle.Close();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _json.Dispose();
        _compressor?.Dispose();
        _handle.Dispose();
    }

    private void EndLine()
    {
        _buffer.Write("\n"u8);
        Lines++;
        if (_buffer.WrittenCount >= FlushBytes)
        {
            Flush();
        }
    }

    private void Flush()
    {
        _sum.Append(_buffer.WrittenSpan);
        if (_stream is not null)
        {
            _stream.Write(_buffer.WrittenSpan);
        }
        else
        {
            _pending.Write(_buffer.WrittenSpan);
            WritePieces(all: false);
        }

        _buffer.ResetWrittenCount();
    }

    private void WritePieces(bool all)
    {
        ReadOnlySpan<byte> rest = _pending.WrittenSpan;
        while (rest.Length >= SignedPieces.PieceLength || (all && !rest.IsEmpty))
        {
            int length = Math.Min(rest.Length, SignedPieces.PieceLength);
            SignedPieces.Write(_handle, _compressor!, rest[..length], _sealer, _place, _pieces++);
            rest = rest[length..];
        }

        byte[] kept = rest.ToArray();
        _pending.ResetWrittenCount();
        _pending.Write(kept);
    }
}
