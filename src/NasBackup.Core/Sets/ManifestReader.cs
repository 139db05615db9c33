using System.Text;
using System.Text.Json;
using NasBackup.Files;
using NasBackup.Formats;
using NasBackup.Planning;

namespace NasBackup.Sets;

/// <summary>Reads a manifest as a stream, once, from its start; it is never held whole.</summary>
internal sealed class ManifestReader : IDisposable
{
    private readonly JsonLineReader _lines;
    private long _entries;
    private long _bytes;
    private long _failed;

    // The node of the line before: it is the same for most.
    private byte[] _node = [];
    private string _nodeName = "";

    /// <summary>Opens a manifest and reads its first line.</summary>
    /// <param name="tree">The set's folder.</param>
    /// <param name="path">The manifest's name in it.</param>
    /// <param name="set">The id of the set that it must be of.</param>
    /// <param name="sealer">The cluster's key, where it has one.</param>
    /// <exception cref="BackupException">RecordDamaged: it does not begin as the manifest of that set.</exception>
    /// <exception cref="FileSystemException">It cannot be read.</exception>
    public ManifestReader(IFileTree tree, FilePath path, string set, Sealer? sealer = null)
    {
        _lines = new JsonLineReader(tree.OpenRead(path), $"{tree.RootPath}/{path}", sealer?.Within(ManifestFile.PlaceOf(set)));
        try
        {
            Header = ReadHeader(set);
        }
        catch
        {
            _lines.Dispose();
            throw;
        }
    }

    public ManifestHeader Header { get; }

    /// <summary>The entries in order, to be walked once.</summary>
    /// <exception cref="BackupException">RecordDamaged: with file and line. The entries before it were right in form, but
    /// only the last line proves that they are the ones that were written.</exception>
    public IEnumerable<ManifestEntry> Entries()
    {
        while (TryReadEntry(out ManifestEntry entry))
        {
            yield return entry;
        }
    }

    public void Dispose() => _lines.Dispose();

    private ManifestHeader ReadHeader(string set)
    {
        ManifestHeader? header = _lines.TryRead(out ReadOnlySpan<byte> line)
            ? SealedJson.TryOpen(line, SetsJson.Default.ManifestHeader)
            : null;
        if (header is not { Format: ManifestHeader.FormatName, Version: ManifestHeader.CurrentVersion })
        {
            throw _lines.Damaged("it does not begin as a manifest of this version");
        }

        if (header.Set != set)
        {
            throw _lines.Damaged($"it is the manifest of {header.Set}, not of {set}");
        }

        _lines.AddToSum();
        return header;
    }

    private bool TryReadEntry(out ManifestEntry entry)
    {
        entry = default;
        if (!_lines.TryRead(out ReadOnlySpan<byte> line))
        {
            throw _lines.Damaged("its last line is missing");
        }

        if (line.StartsWith("{\"sum\""u8))
        {
            var trailer = SealedJson.TryOpen(line, SetsJson.Default.ManifestTrailer);
            return trailer == new ManifestTrailer(_entries, _bytes, _failed, _lines.Sum.ToString())
                ? false
                : throw _lines.Damaged("its last line does not agree with what stands before it");
        }

        try
        {
            entry = Parse(line);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or FormatException)
        {
            throw _lines.Damaged(e.Message, e);
        }

        _lines.AddToSum();
        _entries += entry.IsFailed ? 0 : 1;
        _failed += entry.IsFailed ? 1 : 0;
        _bytes = Totals.Add(_bytes, entry.IsFailed ? 0 : entry.Entry.Size);
        return true;
    }

    private ManifestEntry Parse(ReadOnlySpan<byte> line)
        => TryParseUsual(line, out ManifestEntry entry) ? entry : ParseAny(line, Header.Sources.Count);

    /// <summary>A file or folder that is in the set just as it was: nearly every line of a manifest.</summary>
    private bool TryParseUsual(ReadOnlySpan<byte> line, out ManifestEntry entry)
    {
        var cursor = new LineCursor(line);
        entry = default;
        if (!EntryLine.TryRead(ref cursor, out EntryFields fields))
        {
            return false;
        }

        Hash128? hash = null;
        if (cursor.Take(",\"hash\":\""u8))
        {
            if (!cursor.TakeHash(out Hash128 found) || !cursor.Take("\""u8))
            {
                return false;
            }

            hash = found;
        }

        MemberPlace? place = MemberPlace.TryTake(ref cursor, out MemberPlace taken) ? taken : null;

        if (!cursor.Take(",\"node\":\""u8) || !cursor.TakeString(out ReadOnlySpan<byte> node) || !cursor.Take("}"u8) || !cursor.IsAtEnd)
        {
            return false;
        }

        if (!node.SequenceEqual(_node))
        {
            _node = node.ToArray();
            _nodeName = Encoding.UTF8.GetString(node);
        }

        entry = new ManifestEntry { Entry = fields.ToEntry(Header.Sources.Count), Node = _nodeName, Hash = hash, Place = place };
        return true;
    }

    private static ManifestEntry ParseAny(ReadOnlySpan<byte> line, int sources)
    {
        var json = new Utf8JsonReader(line);
        EntryFields fields = default;
        Rest rest = default;
        if (!json.Read() || json.TokenType != JsonTokenType.StartObject)
        {
            throw new JsonException("a line is not an object");
        }

        while (json.Read() && json.TokenType == JsonTokenType.PropertyName)
        {
            if (!fields.TryRead(ref json) && !TryReadField(ref json, ref rest))
            {
                json.Skip();
            }
        }

        Entry entry = fields.ToEntry(sources);
        return new ManifestEntry
        {
            Entry = entry,
            Node = rest.Node ?? "",
            Hash = rest.Hash,
            Place = rest.Place,
            Segments = SegmentJson.Checked(rest.Segments, entry.Size),
            Attributes = rest.Attributes,
            LinkTarget = rest.LinkTarget,
            Changed = rest.Changed,
            Recent = rest.Recent,
            Lost = (MetadataLoss)rest.Lost,
            ErrorId = rest.Failed ? rest.ErrorId ?? ErrorIds.FileOperationFailed : null,
            Problem = rest.Problem,
        };
    }

    private static bool TryReadField(ref Utf8JsonReader json, ref Rest rest)
    {
        if (json.ValueTextEquals("hash"u8))
        {
            json.Read();
            rest.Hash = Hash128.TryParse(json.ValueSpan, out Hash128 hash) ? hash : throw new JsonException("a hash is not 32 hex digits");
        }
        else if (MemberPlace.TryRead(ref json, out MemberPlace place))
        {
            rest.Place = place;
        }
        else if (json.ValueTextEquals("segments"u8))
        {
            json.Read();
            rest.Segments = SegmentJson.Read(ref json);
        }
        else if (json.ValueTextEquals("node"u8))
        {
            json.Read();
            rest.Node = json.GetString();
        }
        else if (json.ValueTextEquals("xattrs"u8))
        {
            json.Read();
            rest.Attributes = AttributeJson.Read(ref json);
        }
        else if (PathJson.TryRead(ref json, "target"u8, "targetBase64"u8, out byte[]? target))
        {
            rest.LinkTarget = target;
        }
        else if (json.ValueTextEquals("changed"u8))
        {
            json.Read();
            rest.Changed = json.GetBoolean();
        }
        else if (json.ValueTextEquals("recent"u8))
        {
            json.Read();
            rest.Recent = json.GetBoolean();
        }
        else if (json.ValueTextEquals("lost"u8))
        {
            json.Read();
            rest.Lost = json.GetInt32();
        }
        else if (json.ValueTextEquals("failed"u8))
        {
            json.Read();
            rest.Failed = json.GetBoolean();
        }
        else if (json.ValueTextEquals("errorId"u8))
        {
            json.Read();
            rest.ErrorId = json.GetString();
        }
        else if (json.ValueTextEquals("problem"u8))
        {
            json.Read();
            rest.Problem = json.GetString();
        }
        else
        {
            return false;
        }

        return true;
    }

    /// <summary>What a line says beside the entry's own fields.</summary>
    private struct Rest
    {
        public Hash128? Hash;
        public MemberPlace? Place;
        public IReadOnlyList<SegmentHash>? Segments;
        public string? Node;
        public ExtendedAttributes? Attributes;
        public byte[]? LinkTarget;
        public bool Changed;
        public bool Recent;
        public int Lost;
        public bool Failed;
        public string? ErrorId;
        public string? Problem;
    }
}
