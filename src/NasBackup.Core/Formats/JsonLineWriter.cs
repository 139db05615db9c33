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
    private readonly CompressionStream _compressor;
    private readonly ArrayBufferWriter<byte> _buffer = new(FlushBytes * 2);
    private readonly Utf8JsonWriter _json;
    private readonly XxHash128 _sum = new();

    public JsonLineWriter(IFileHandle handle)
    {
        _handle = handle;
        _compressor = new CompressionStream(new FileHandleStream(handle), CompressionLevel);
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
        _compressor.Dispose();
        _handle.Sync();
        _handle.Close();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _json.Dispose();
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
        _compressor.Write(_buffer.WrittenSpan);
        _buffer.ResetWrittenCount();
    }
}
