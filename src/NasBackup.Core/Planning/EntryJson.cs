using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using NasBackup.Files;
using NasBackup.Formats;

namespace NasBackup.Planning;

/// <summary>How an entry is written as JSON, in lists and manifests alike; docs/design.md has the fields.</summary>
internal static class EntryJson
{
    private static readonly string[] KindNames = ["file", "directory", "symlink", "fifo", "chardev", "blockdev", "socket"];

    // Encoded once: a name given as text is checked for escapes in each of millions of lines.
    private static readonly JsonEncodedText[] Kinds = [.. KindNames.Select(name => JsonEncodedText.Encode(name))];
    private static readonly JsonEncodedText Path = JsonEncodedText.Encode("path");
    private static readonly JsonEncodedText PathBase64 = JsonEncodedText.Encode("pathBase64");
    private static readonly JsonEncodedText Source = JsonEncodedText.Encode("source");
    private static readonly JsonEncodedText Kind = JsonEncodedText.Encode("kind");
    private static readonly JsonEncodedText Names = JsonEncodedText.Encode("names");
    private static readonly JsonEncodedText Size = JsonEncodedText.Encode("size");
    private static readonly JsonEncodedText ModifiedTime = JsonEncodedText.Encode("mtime");
    private static readonly JsonEncodedText ChangeTime = JsonEncodedText.Encode("ctime");
    private static readonly JsonEncodedText Mode = JsonEncodedText.Encode("mode");
    private static readonly JsonEncodedText Owner = JsonEncodedText.Encode("uid");
    private static readonly JsonEncodedText Group = JsonEncodedText.Encode("gid");
    private static readonly JsonEncodedText Inode = JsonEncodedText.Encode("inode");
    private static readonly JsonEncodedText FileSystem = JsonEncodedText.Encode("fs");
    private static readonly JsonEncodedText Links = JsonEncodedText.Encode("links");
    private static readonly JsonEncodedText DeviceNumber = JsonEncodedText.Encode("rdev");

    /// <summary>Writes a path under <c>path</c>, or under <c>pathBase64</c> where it is not valid UTF-8.</summary>
    public static void WritePath(Utf8JsonWriter json, FilePath path)
    {
        if (System.Text.Unicode.Utf8.IsValid(path.Bytes))
        {
            json.WriteString(Path, path.Bytes);
        }
        else
        {
            json.WriteBase64String(PathBase64, path.Bytes);
        }
    }

    /// <summary>The same under <c>name</c> and <c>nameBase64</c>.</summary>
    public static void WritePath(Utf8JsonWriter json, string name, FilePath path)
    {
        if (System.Text.Unicode.Utf8.IsValid(path.Bytes))
        {
            json.WriteString(name, path.Bytes);
        }
        else
        {
            json.WriteBase64String(name + "Base64", path.Bytes);
        }
    }

    /// <summary>Writes the fields of an entry into the object that is open.</summary>
    public static void WriteFields(Utf8JsonWriter json, Entry entry, in FileStatus status)
    {
        WritePath(json, entry.Path);
        if (entry.Source != 0)
        {
            json.WriteNumber(Source, entry.Source);
        }

        json.WriteString(Kind, Kinds[(int)status.Kind]);
        WriteStatus(json, status);
        if (entry.OtherNames is { } names)
        {
            json.WriteStartArray(Names);
            foreach (FilePath name in names)
            {
                // An array element has no field name to tell text from base64, so each is an object.
                json.WriteStartObject();
                WritePath(json, name);
                json.WriteEndObject();
            }

            json.WriteEndArray();
        }
    }

    /// <summary>Writes the fields of a status, but for its kind, into the object that is open.</summary>
    public static void WriteStatus(Utf8JsonWriter json, in FileStatus status)
    {
        if (status.Kind == EntryKind.File)
        {
            json.WriteNumber(Size, status.Size);
        }

        WriteTime(json, ModifiedTime, status.Metadata.ModifiedTime);
        if (status.ChangeTime != 0)
        {
            WriteTime(json, ChangeTime, status.ChangeTime);
        }

        WriteMode(json, status.Metadata.Mode);
        json.WriteNumber(Owner, status.Metadata.Owner);
        json.WriteNumber(Group, status.Metadata.Group);
        if (status.Inode != 0)
        {
            json.WriteNumber(Inode, status.Inode);
            json.WriteNumber(FileSystem, status.FileSystem);
        }

        if (status.Links > 1 && status.Kind != EntryKind.Directory)
        {
            json.WriteNumber(Links, status.Links);
        }

        if (status.DeviceNumber != 0)
        {
            json.WriteNumber(DeviceNumber, status.DeviceNumber);
        }
    }

    /// <summary>Writes the extended attributes, where there are any, into the object that is open.</summary>
    public static void WriteAttributes(Utf8JsonWriter json, ExtendedAttributes? attributes)
    {
        if (attributes is null or { IsEmpty: true })
        {
            return;
        }

        json.WriteStartArray("xattrs");
        foreach (ExtendedAttribute attribute in attributes.Items)
        {
            json.WriteStartObject();
            WritePath(json, "name", attribute.Name);
            json.WriteBase64String("value", attribute.Value);
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }

    /// <summary>Reads what <see cref="WriteAttributes"/> wrote; the reader stands on its start.</summary>
    /// <exception cref="JsonException">It is something else.</exception>
    public static ExtendedAttributes ReadAttributes(ref Utf8JsonReader json)
    {
        if (json.TokenType != JsonTokenType.StartArray)
        {
            throw new JsonException("attributes are not an array");
        }

        var items = new List<ExtendedAttribute>();
        while (json.Read() && json.TokenType == JsonTokenType.StartObject)
        {
            FilePath name = default;
            byte[]? value = null;
            while (json.Read() && json.TokenType == JsonTokenType.PropertyName)
            {
                bool isName = json.ValueTextEquals("name"u8);
                bool isCodedName = json.ValueTextEquals("nameBase64"u8);
                bool isValue = json.ValueTextEquals("value"u8);
                json.Read();
                name = isName ? ReadText(ref json) : isCodedName ? new FilePath(json.GetBytesFromBase64()) : name;
                value = isValue ? json.GetBytesFromBase64() : value;
                json.Skip();
            }

            items.Add(!name.IsRoot && value is not null ? new ExtendedAttribute(name, value) : throw new JsonException("an attribute has no name or no value"));
        }

        return new ExtendedAttributes(items);
    }

    /// <summary>What was read of one object that has an entry's fields, or some of them.</summary>
    internal struct Fields
    {
        public FilePath Path;
        public bool HasPath;
        public bool HasKind;
        public int Source;
        public EntryKind Kind;
        public long Size;
        public long ModifiedTime;
        public long ChangeTime;
        public int Mode;
        public uint Owner;
        public uint Group;
        public ulong Inode;
        public ulong FileSystem;
        public uint Links;
        public ulong DeviceNumber;
        public List<FilePath>? Names;

        public readonly FileStatus ToStatus() => new(
            Kind, Size, new FileMetadata(ModifiedTime, Mode, Owner, Group), ChangeTime, Inode, FileSystem, Math.Max(1, Links), DeviceNumber);

        /// <summary>The entry, once its fields are what they may be: whoever wrote a list, its paths lead nowhere else.</summary>
        /// <param name="sources">How many sources the plan has.</param>
        /// <exception cref="JsonException">A field is missing, or says what cannot be.</exception>
        public readonly Entry ToEntry(int sources)
        {
            string? problem = !HasPath ? "an entry has no path"
                : !HasKind ? "an entry has no kind"
                : !Path.IsRoot && !Path.HasOnlyNames ? $"the path '{Path}' does not stay below its source"
                : Names?.Exists(static name => !name.HasOnlyNames) == true ? "another name of an entry does not stay below its source"
                : Source < 0 || Source >= sources ? $"an entry is of source {Source}, and there are {sources}"
                : Kind is EntryKind.Socket ? "a socket is no entry"
                : Kind is not EntryKind.File && Size != 0 ? "something that is no file has a size"
                : null;
            return problem is null
                ? new Entry { Source = Source, Path = Path, Status = ToStatus(), OtherNames = Names }
                : throw new JsonException(problem);
        }
    }

    /// <summary>
    /// Takes one property if it is an entry's; the reader stands on the property's name and afterwards on its value's end.
    /// </summary>
    /// <exception cref="JsonException">The value is not of the field's type or range.</exception>
    public static bool TryReadField(ref Utf8JsonReader json, ref Fields fields)
    {
        if (json.ValueTextEquals("path"u8))
        {
            json.Read();
            fields.Path = ReadText(ref json);
            fields.HasPath = true;
        }
        else if (json.ValueTextEquals("pathBase64"u8))
        {
            json.Read();
            fields.Path = new FilePath(json.GetBytesFromBase64());
            fields.HasPath = true;
        }
        else if (json.ValueTextEquals("source"u8))
        {
            json.Read();
            fields.Source = json.GetInt32();
        }
        else if (json.ValueTextEquals("kind"u8))
        {
            json.Read();
            fields.Kind = ReadKind(ref json);
            fields.HasKind = true;
        }
        else if (json.ValueTextEquals("names"u8))
        {
            json.Read();
            fields.Names = ReadNames(ref json);
        }
        else
        {
            return TryReadStatusField(ref json, ref fields);
        }

        return true;
    }

    /// <summary>Takes one property whose bytes are text or base64 by its name; the reader stands on the name.</summary>
    public static bool TryReadBytes(ref Utf8JsonReader json, ReadOnlySpan<byte> name, ReadOnlySpan<byte> codedName, [NotNullWhen(true)] out byte[]? bytes)
    {
        bytes = null;
        if (json.ValueTextEquals(name))
        {
            json.Read();
            bytes = ReadText(ref json).Bytes.ToArray();
        }
        else if (json.ValueTextEquals(codedName))
        {
            json.Read();
            bytes = json.GetBytesFromBase64();
        }

        return bytes is not null;
    }

    private static bool TryReadStatusField(ref Utf8JsonReader json, ref Fields fields)
    {
        if (json.ValueTextEquals("size"u8))
        {
            json.Read();
            fields.Size = json.GetInt64() is >= 0 and long size ? size : throw new JsonException("a size is negative");
        }
        else if (json.ValueTextEquals("mtime"u8))
        {
            json.Read();
            fields.ModifiedTime = ReadTime(ref json);
        }
        else if (json.ValueTextEquals("ctime"u8))
        {
            json.Read();
            fields.ChangeTime = ReadTime(ref json);
        }
        else if (json.ValueTextEquals("mode"u8))
        {
            json.Read();
            fields.Mode = ReadMode(ref json);
        }
        else if (json.ValueTextEquals("uid"u8))
        {
            json.Read();
            fields.Owner = json.GetUInt32();
        }
        else if (json.ValueTextEquals("gid"u8))
        {
            json.Read();
            fields.Group = json.GetUInt32();
        }
        else if (json.ValueTextEquals("inode"u8))
        {
            json.Read();
            fields.Inode = json.GetUInt64();
        }
        else if (json.ValueTextEquals("fs"u8))
        {
            json.Read();
            fields.FileSystem = json.GetUInt64();
        }
        else if (json.ValueTextEquals("links"u8))
        {
            json.Read();
            fields.Links = json.GetUInt32();
        }
        else if (json.ValueTextEquals("rdev"u8))
        {
            json.Read();
            fields.DeviceNumber = json.GetUInt64();
        }
        else
        {
            return false;
        }

        return true;
    }

    private static void WriteTime(Utf8JsonWriter json, JsonEncodedText name, long time)
    {
        Span<byte> text = stackalloc byte[UnixTime.LongestText];
        json.WriteString(name, text[..UnixTime.Format(time, text)]);
    }

    private static void WriteMode(Utf8JsonWriter json, int mode)
    {
        ReadOnlySpan<byte> digits =
        [
            (byte)('0' + ((mode >> 9) & 7)), (byte)('0' + ((mode >> 6) & 7)), (byte)('0' + ((mode >> 3) & 7)), (byte)('0' + (mode & 7)),
        ];
        json.WriteString(Mode, digits);
    }

    private static FilePath ReadText(ref Utf8JsonReader json)
    {
        if (json.TokenType != JsonTokenType.String)
        {
            throw new JsonException("a path is not text");
        }

        var bytes = new byte[json.HasValueSequence ? json.ValueSequence.Length : json.ValueSpan.Length];
        int length = json.CopyString(bytes);
        return new FilePath(length == bytes.Length ? bytes : bytes[..length]);
    }

    private static EntryKind ReadKind(ref Utf8JsonReader json)
    {
        for (int kind = 0; kind < KindNames.Length; kind++)
        {
            if (json.ValueTextEquals(Kinds[kind].EncodedUtf8Bytes))
            {
                return (EntryKind)kind;
            }
        }

        throw new JsonException("a kind is unknown");
    }

    private static long ReadTime(ref Utf8JsonReader json)
    {
        if (json.TokenType == JsonTokenType.String && UnixTime.TryParse(json.ValueSpan, out long time))
        {
            return time;
        }

        throw new JsonException("a time is not seconds and nine digits");
    }

    private static int ReadMode(ref Utf8JsonReader json)
    {
        int mode = 0;
        foreach (byte digit in json.ValueSpan)
        {
            if (digit is < (byte)'0' or > (byte)'7' || mode > 0xFFF >> 3)
            {
                throw new JsonException("a mode is not octal");
            }

            mode = (mode << 3) + digit - '0';
        }

        return mode;
    }

    private static List<FilePath> ReadNames(ref Utf8JsonReader json)
    {
        if (json.TokenType != JsonTokenType.StartArray)
        {
            throw new JsonException("names are not an array");
        }

        var names = new List<FilePath>();
        while (json.Read() && json.TokenType == JsonTokenType.StartObject)
        {
            json.Read();
            Fields name = default;
            if (json.TokenType != JsonTokenType.PropertyName || !TryReadField(ref json, ref name) || !name.HasPath || !json.Read())
            {
                throw new JsonException("a name is not an object with a path");
            }

            names.Add(name.Path);
        }

        return names;
    }
}
