using System.Buffers;
using System.IO.Hashing;
using System.Text.Json;
using NasBackup.Files;
using NasBackup.Formats;

namespace NasBackup.Coordination;

/// <summary>Reads journals: as far as they are whole, or exactly as far as they were frozen.</summary>
internal static class JournalReader
{
    /// <summary>No line of ours is longer: paths are not in journals, but problems name them.</summary>
    private const int LongestLine = 64 * 1024 * 1024;

    private const int BufferBytes = 256 * 1024;

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
    /// <param name="damaged">Told once where a line that was written to its end is not what was written, or where less can be
    /// read than the record counts: what comes behind is done again. The end of a line that is missing is no damage; whoever
    /// was killed while it wrote leaves that.</param>
    /// <returns>What a terminal slot freezes.</returns>
    public static FrozenJournal ReadDurable(
        IFileTree tree, FilePath path, long countedEntries, Action<JournalEntry> visit, Sealer? sealer = null, Action<string>? damaged = null)
    {
        long? badLine = null;
        FrozenJournal read = Read(tree, path, long.MaxValue, visit, countedEntries, sealer ?? Sealer.Unkeyed, offset => badLine = offset);
        if (badLine is { } at)
        {
            damaged?.Invoke($"its line at byte {at} is not what was written");
        }
        else if (read.Entries + read.Failed < countedEntries)
        {
            damaged?.Invoke($"it tells of {read.Entries + read.Failed} entries, and the record of its owner counts {countedEntries}");
        }

        return read;
    }

    /// <summary>Whether the file holds, byte for byte, what its owner wrote and is going to freeze.</summary>
    /// <exception cref="FileSystemException">It cannot be read.</exception>
    public static bool Holds(IFileTree tree, FilePath path, FrozenJournal frozen)
    {
        if (frozen.Length == 0)
        {
            return true;
        }

        using IFileHandle handle = tree.OpenRead(path);
        var sum = new XxHash128();
        byte[] buffer = ArrayPool<byte>.Shared.Rent(BufferBytes);
        try
        {
            for (long offset = 0; offset < frozen.Length;)
            {
                int read = handle.ReadAt(buffer.AsSpan(0, (int)Math.Min(buffer.Length, frozen.Length - offset)), offset);
                if (read == 0)
                {
                    return false;
                }

                sum.Append(buffer.AsSpan(0, read));
                offset += read;
            }

            return Hash128.Of(sum).ToString() == frozen.Sum;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

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
            throw NotFrozen(tree, path, frozen);
        }
    }

    /// <summary>The error for a journal that is not what a slot says.</summary>
    public static BackupException NotFrozen(IFileTree tree, FilePath path, FrozenJournal frozen) => new(
        ErrorIds.RecordDamaged,
        ErrorKind.InvalidData,
        $"The journal '{tree.RootPath}/{path}' does not hold the {frozen.Length} bytes that were decided on; it may not be visible yet from this node, or it is damaged.",
        path.ToString());

    /// <summary>Reads every batch that is whole of what was frozen, over what is damaged in between.</summary>
    /// <param name="tree">The share.</param>
    /// <param name="path">The journal.</param>
    /// <param name="frozen">What was decided on; nothing is read of what came later.</param>
    /// <param name="visit">Called for each entry in order.</param>
    /// <param name="sealer">The cluster's key, where it has one: a line that is not signed for its place is not whole.</param>
    /// <exception cref="FileSystemException">It is there, and cannot be read.</exception>
    public static void ReadIntact(IFileTree tree, FilePath path, FrozenJournal frozen, Action<JournalEntry> visit, Sealer? sealer = null)
    {
        IFileHandle handle;
        try
        {
            handle = tree.OpenRead(path);
        }
        catch (FileSystemException e) when (e.Problem is FileProblem.NotFound)
        {
            return;
        }

        using (handle)
        {
            long last = 0;
            long damaged = 0;
            var entries = new List<JournalEntry>();
            ReadLines(handle, frozen.Length, (line, _) =>
            {
                // Damage may have made two lines of one, or one of two.
                for (long batch = last + 1; batch <= last + damaged + 2; batch++)
                {
                    if (TryReadBatch(line, sealer ?? Sealer.Unkeyed, path, batch, entries))
                    {
                        entries.ForEach(visit);
                        (last, damaged) = (batch, 0);
                        return true;
                    }
                }

                damaged++;
                return true;
            });
        }
    }

    private static FrozenJournal Read(
        IFileTree tree, FilePath path, long limit, Action<JournalEntry> visit, long sureEntries, Sealer sealer, Action<long>? badLine = null)
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
            long batches = 0;
            (byte[] Line, List<JournalEntry> Entries)? held = null;
            ReadLines(handle, limit, (line, offset) =>
            {
                var batch = new List<JournalEntry>();
                if (!TryReadBatch(line, sealer, path, batches + 1, batch))
                {
                    badLine?.Invoke(offset);
                    return false;
                }

                // That another batch follows shows that the one before is durable.
                if (held is { } sure)
                {
                    total.Add(sure.Line, sure.Entries);
                }

                batches++;
                held = (line.ToArray(), batch);
                return true;
            });
            if (held is { } last && total.Decided + last.Entries.Count <= sureEntries)
            {
                total.Add(last.Line, last.Entries);
            }

            return total.ToJournal();
        }
    }

    /// <summary>Passes on the lines that end within the limit, with their ends, until one is refused.</summary>
    private static void ReadLines(IFileHandle handle, long limit, LineVisitor visit)
    {
        long offset = 0;
        byte[] buffer = ArrayPool<byte>.Shared.Rent(BufferBytes);
        try
        {
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
                        return;
                    }

                    RentedBuffer.Lengthen(ref buffer);
                    continue;
                }

                ReadOnlySpan<byte> line = buffer.AsSpan(0, end + 1);
                if (offset + line.Length > limit || !visit(line, offset))
                {
                    return;
                }

                offset += line.Length;
                buffer.AsSpan(end + 1, filled - end - 1).CopyTo(buffer);
                filled -= end + 1;
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private delegate bool LineVisitor(ReadOnlySpan<byte> line, long offset);

    /// <summary>Reads a line.</summary>
    /// <param name="line">The line, with or without its end.</param>
    /// <param name="sealer">The cluster's key, where it has one.</param>
    /// <param name="path">The journal.</param>
    /// <param name="expected">The number of the batch that it must be.</param>
    /// <param name="entries">Gets what stands in it; what was in there before is lost.</param>
    /// <returns>Whether it is whole, in its place, and that batch.</returns>
    internal static bool TryReadBatch(ReadOnlySpan<byte> line, Sealer sealer, FilePath path, long expected, List<JournalEntry> entries)
    {
        entries.Clear();
        if (!sealer.TryOpen(line, PlaceOf(path, expected), out ReadOnlySpan<byte> body, out _))
        {
            return false;
        }

        if (TryReadUsual(body, expected, entries))
        {
            return true;
        }

        entries.Clear();
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

    /// <summary>Reads a batch that is just as it is written, with nothing rare in it: nearly every one.</summary>
    internal static bool TryReadUsual(ReadOnlySpan<byte> body, long expected, List<JournalEntry> entries)
    {
        var cursor = new LineCursor(body);
        if (!cursor.Take("{\"batch\":"u8) || !cursor.TakeNumber(out ulong number) || number != (ulong)expected
            || (cursor.Take(",\"time\":\""u8) && !cursor.TakeString(out _))
            || !cursor.Take(",\"entries\":["u8))
        {
            return false;
        }

        do
        {
            if (!JournalEntry.TryTake(ref cursor, out JournalEntry entry))
            {
                return false;
            }

            entries.Add(entry);
        }
        while (cursor.Take(","u8));
        return cursor.Take("]}"u8) && cursor.IsAtEnd;
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
