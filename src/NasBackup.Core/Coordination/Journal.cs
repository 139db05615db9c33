using System.Buffers;
using System.IO.Hashing;
using System.Text.Encodings.Web;
using System.Text.Json;
using NasBackup.Files;
using NasBackup.Formats;

namespace NasBackup.Coordination;

/// <summary>
/// What the owner of an assignment has committed of it, entry by entry: a file of sealed lines, one per checkpoint
/// (<c>{"batch":1,"time":…,"entries":[…]}</c>). Only the owner writes there, and only behind what it wrote before.
/// </summary>
internal sealed class JournalWriter(IFileTree tree, FilePath path, Sealer? sealer = null) : IDisposable
{
    /// <summary>Entries of one line. What waits longer for a checkpoint becomes several lines, so that none is too long to read.</summary>
    private const int MostEntriesPerBatch = 4096;

    private readonly ArrayBufferWriter<byte> _body = new();
    private readonly XxHash128 _sum = new();
    private IFileHandle? _handle;
    private byte[]? _unwritten;
    private long _unwrittenBatches;
    private IReadOnlyList<JournalEntry> _unwrittenEntries = [];
    private long _length;
    private long _batches;
    private long _entries;
    private long _bytes;
    private long _failed;

    /// <summary>The clock that batches are dated by, for reports; null for no date.</summary>
    public TimeProvider? Clock { get; init; }

    /// <summary>What has been made durable so far.</summary>
    public FrozenJournal Durable => new(_length, _entries, _bytes, _failed, Hash128.Of(_sum).ToString());

    /// <summary>Reserves room for a journal of that many entries, so that a share that fills up later does not stop the node.</summary>
    public void Reserve(long entries)
    {
        const int BytesPerEntry = 100;
        _handle ??= tree.OpenReadWrite(path);
        _handle.Reserve(entries * BytesPerEntry);
    }

    /// <summary>
    /// Appends a batch and makes it durable. After an error the batch is kept, and the next call writes the very same bytes
    /// at the very same place before it goes on, so that whoever has read them meanwhile has read what stays.
    /// </summary>
    public void Append(IReadOnlyList<JournalEntry> entries)
    {
        WriteUnwritten();
        if (entries.Count == 0)
        {
            return;
        }

        var lines = new List<byte>();
        long batch = _batches;
        foreach (JournalEntry[] part in entries.Chunk(MostEntriesPerBatch))
        {
            lines.AddRange((sealer ?? Sealer.Unkeyed).Seal(Body(++batch, part), JournalReader.PlaceOf(path, batch)));
            lines.Add((byte)'\n');
        }

        _unwritten = [.. lines];
        _unwrittenBatches = batch;
        _unwrittenEntries = entries;
        WriteUnwritten();
    }

    public void Dispose() => _handle?.Dispose();

    private void WriteUnwritten()
    {
        if (_unwritten is not { } line)
        {
            return;
        }

        try
        {
            _handle ??= tree.OpenReadWrite(path);
            _handle.WriteAt(line, _length);
            _handle.Sync();
        }
        catch (FileSystemException)
        {
            _handle?.Dispose();
            _handle = null;
            throw;
        }

        _sum.Append(line);
        _length += line.Length;
        _batches = _unwrittenBatches;
        foreach (JournalEntry entry in _unwrittenEntries)
        {
            _entries += entry.IsFailed ? 0 : 1;
            _failed += entry.IsFailed ? 1 : 0;
            _bytes = Totals.Add(_bytes, entry.Size);
        }

        _unwritten = null;
        _unwrittenEntries = [];
    }

    private ReadOnlySpan<byte> Body(long batch, JournalEntry[] entries)
    {
        _body.ResetWrittenCount();
        using var json = new Utf8JsonWriter(_body, new JsonWriterOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping });
        json.WriteStartObject();
        json.WriteNumber("batch", batch);
        if (Clock is { } clock)
        {
            json.WriteString("time", clock.GetUtcNow().UtcDateTime);
        }

        json.WriteStartArray("entries");
        foreach (JournalEntry entry in entries)
        {
            entry.WriteTo(json);
        }

        json.WriteEndArray();
        json.WriteEndObject();
        json.Flush();
        return _body.WrittenSpan;
    }
}

/// <summary>Reads journals: as far as they are whole, or exactly as far as they were frozen.</summary>
internal static class JournalReader
{
    /// <summary>No line of ours is longer: paths are not in journals, but problems name them.</summary>
    private const int LongestLine = 64 * 1024 * 1024;

    /// <summary>Where a line of a journal belongs, for its tag.</summary>
    public static string PlaceOf(FilePath path, long batch) => $"{path}#{batch}";

    /// <summary>Reads all whole batches from the start.</summary>
    /// <param name="tree">The share.</param>
    /// <param name="path">The journal; one that does not exist is empty.</param>
    /// <param name="visit">Called for each entry in order.</param>
    /// <param name="sealer">The cluster's key, where it has one: a line that is not signed for its place is not whole.</param>
    /// <returns>What a terminal slot would freeze: where the first batch that is not whole begins, and what is before it.</returns>
    public static FrozenJournal ReadWhole(IFileTree tree, FilePath path, Action<JournalEntry> visit, Sealer? sealer = null)
        => Read(tree, path, long.MaxValue, visit, sureEntries: long.MaxValue, sealer ?? Sealer.Unkeyed);

    /// <summary>
    /// Reads the batches that are durable for sure, for who closes an assignment of another. An owner writes a batch when the
    /// one before it is durable, and counts it in its record when it is itself: so all batches but the last are durable, and
    /// the last if the record counts it. What else can be read may still be in the memory of one machine alone.
    /// </summary>
    /// <param name="tree">The share.</param>
    /// <param name="path">The journal; one that does not exist is empty.</param>
    /// <param name="countedEntries">How many entries the owner's record has counted as done, failed ones included; 0 where it
    /// cannot be told.</param>
    /// <param name="visit">Called for each entry in order.</param>
    /// <param name="sealer">The cluster's key, where it has one: a line that is not signed for its place is not whole.</param>
    /// <returns>What a terminal slot freezes.</returns>
    public static FrozenJournal ReadDurable(IFileTree tree, FilePath path, long countedEntries, Action<JournalEntry> visit, Sealer? sealer = null)
        => Read(tree, path, long.MaxValue, visit, countedEntries, sealer ?? Sealer.Unkeyed);

    /// <summary>Reads what was frozen, and nothing of what came later.</summary>
    /// <exception cref="BackupException">RecordDamaged: the file does not hold what was frozen.</exception>
    public static void ReadFrozen(IFileTree tree, FilePath path, FrozenJournal frozen, Action<JournalEntry> visit, Sealer? sealer = null)
    {
        if (frozen.Length == 0)
        {
            return;
        }

        FrozenJournal read = Read(tree, path, frozen.Length, visit, sureEntries: long.MaxValue, sealer ?? Sealer.Unkeyed);
        if (read != frozen)
        {
            throw new BackupException(
                ErrorIds.RecordDamaged,
                ErrorKind.InvalidData,
                $"The journal '{tree.RootPath}/{path}' does not hold the {frozen.Length} bytes that were decided on; it may not be visible yet from this node, or it is damaged.",
                path.ToString());
        }
    }

    private static FrozenJournal Read(IFileTree tree, FilePath path, long limit, Action<JournalEntry> visit, long sureEntries, Sealer sealer)
    {
        IFileHandle handle;
        try
        {
            handle = tree.OpenRead(path);
        }
        catch (FileSystemException e) when (e.Problem is FileProblem.NotFound)
        {
            return FrozenJournal.Empty;
        }

        using (handle)
        {
            var total = new Total(visit);
            long offset = 0;
            long batches = 0;
            (byte[] Line, List<JournalEntry> Entries)? held = null;
            var buffer = new byte[256 * 1024];
            int filled = 0;
            while (offset < limit)
            {
                int read = handle.ReadAt(buffer.AsSpan(filled), offset + filled);
                filled += read;
                int end = buffer.AsSpan(0, filled).IndexOf((byte)'\n');
                if (end < 0)
                {
                    if (read == 0 || filled >= LongestLine)
                    {
                        break;
                    }

                    Array.Resize(ref buffer, buffer.Length * 2);
                    continue;
                }

                ReadOnlySpan<byte> line = buffer.AsSpan(0, end + 1);
                if (offset + line.Length > limit || !TryReadBatch(line, sealer, path, batches + 1, out List<JournalEntry> batch))
                {
                    break;
                }

                // That another batch follows shows that the one before is durable.
                if (held is { } sure)
                {
                    total.Add(sure.Line, sure.Entries);
                }

                batches++;
                held = (line.ToArray(), batch);
                offset += line.Length;
                buffer.AsSpan(end + 1, filled - end - 1).CopyTo(buffer);
                filled -= end + 1;
            }

            if (held is { } last && total.Decided + last.Entries.Count <= sureEntries)
            {
                total.Add(last.Line, last.Entries);
            }

            return total.ToJournal();
        }
    }

    private static bool TryReadBatch(ReadOnlySpan<byte> line, Sealer sealer, FilePath path, long expected, out List<JournalEntry> entries)
    {
        entries = [];
        if (!sealer.TryOpen(line, PlaceOf(path, expected), out ReadOnlySpan<byte> body, out _))
        {
            return false;
        }

        try
        {
            var json = new Utf8JsonReader(body);
            long number = 0;
            json.Read();
            while (json.Read() && json.TokenType == JsonTokenType.PropertyName)
            {
                if (json.ValueTextEquals("batch"u8))
                {
                    json.Read();
                    number = json.GetInt64();
                }
                else if (json.ValueTextEquals("entries"u8))
                {
                    json.Read();
                    while (json.Read() && json.TokenType == JsonTokenType.StartObject)
                    {
                        entries.Add(JournalEntry.ReadFrom(ref json));
                    }
                }
                else
                {
                    json.Skip();
                }
            }

            // Lines that were left out, or came from elsewhere, are not what the owner wrote.
            return number == expected;
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or FormatException)
        {
            return false;
        }
    }

    /// <summary>What the batches come to that count.</summary>
    private sealed class Total(Action<JournalEntry> visit)
    {
        private readonly XxHash128 _sum = new();
        private long _length;
        private long _entries;
        private long _bytes;
        private long _failed;

        public long Decided => _entries + _failed;

        public void Add(byte[] line, List<JournalEntry> batch)
        {
            foreach (JournalEntry entry in batch)
            {
                _entries += entry.IsFailed ? 0 : 1;
                _failed += entry.IsFailed ? 1 : 0;
                _bytes = Totals.Add(_bytes, entry.Size);
                visit(entry);
            }

            _sum.Append(line);
            _length += line.Length;
        }

        public FrozenJournal ToJournal()
            => _length == 0 ? FrozenJournal.Empty : new FrozenJournal(_length, _entries, _bytes, _failed, Hash128.Of(_sum).ToString());
    }
}
