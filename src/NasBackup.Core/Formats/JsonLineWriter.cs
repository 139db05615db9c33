using System.Buffers;
using System.IO.Hashing;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using NasBackup.Files;

namespace NasBackup.Formats;

/// <summary>
/// Writes a file of JSON lines, compressed with zstd: a sealed first line that says what it is, plain lines, and a sealed
/// last line whose <c>sum</c> covers all before it. <c>zstdcat FILE | jq</c> reads it. Lists and manifests have this form.
/// </summary>
internal sealed class JsonLineWriter : IDisposable
{
    private static readonly JsonWriterOptions Options = new()
    {
        // File names stay readable: only what JSON itself demands is escaped.
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        SkipValidation = true,
    };

    private readonly IFileHandle _handle;
    private readonly PieceWriter _pieces;
    private readonly ArrayBufferWriter<byte> _buffer = new(PieceWriter.PieceLength * 2);
    private readonly Utf8JsonWriter _json;
    private readonly XxHash128 _sum = new();

    /// <summary>Writes into a file that is empty; it is closed with the writer.</summary>
    /// <param name="handle">The file.</param>
    /// <param name="sealer">The cluster's key, where it has one: then the file is signed.</param>
    /// <param name="place">Where the file belongs, for its tags.</param>
    public JsonLineWriter(IFileHandle handle, Sealer? sealer = null, string place = "")
    {
        _handle = handle;
        _pieces = new PieceWriter(handle, sealer ?? Sealer.Unkeyed, place);
        _json = new Utf8JsonWriter(_buffer, Options);
    }

    /// <summary>Lines written so far.</summary>
    public long Lines { get; private set; }

    /// <summary>The hash of all that was written so far, uncompressed.</summary>
    public Hash128 Sum
    {
        get
        {
            Flush(all: true);
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
        Flush(all: true);
        _pieces.Complete();
        _handle.Sync();
        _handle.Close();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _json.Dispose();
        _pieces.Dispose();
        _handle.Dispose();
    }

    private void EndLine()
    {
        _buffer.Write("\n"u8);
        Lines++;
        if (_buffer.WrittenCount >= PieceWriter.PieceLength)
        {
            Flush(all: false);
        }
    }

    private void Flush(bool all)
    {
        ReadOnlySpan<byte> rest = _buffer.WrittenSpan;
        while (rest.Length >= PieceWriter.PieceLength || (all && !rest.IsEmpty))
        {
            ReadOnlySpan<byte> piece = rest[..Math.Min(rest.Length, PieceWriter.PieceLength)];
            _sum.Append(piece);
            _pieces.Write(piece);
            rest = rest[piece.Length..];
        }

        byte[] kept = rest.ToArray();
        _buffer.ResetWrittenCount();
        _buffer.Write(kept);
    }
}
