using System.Text.Json;
using NasBackup.Files;
using NasBackup.Formats;

namespace NasBackup.Planning;

/// <summary>What was read of one object that has an entry's fields, or some of them; what <see cref="EntryJson"/> wrote.</summary>
internal struct EntryFields
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

    /// <summary>
    /// Takes one property if it is an entry's; the reader stands on the property's name and afterwards on its value's end.
    /// </summary>
    /// <exception cref="JsonException">The value is not of the field's type or range.</exception>
    public bool TryRead(ref Utf8JsonReader json)
    {
        if (json.ValueTextEquals("path"u8))
        {
            json.Read();
            Path = PathJson.Read(ref json);
            HasPath = true;
        }
        else if (json.ValueTextEquals("pathBase64"u8))
        {
            json.Read();
            Path = new FilePath(json.GetBytesFromBase64());
            HasPath = true;
        }
        else if (json.ValueTextEquals("source"u8))
        {
            json.Read();
            Source = json.GetInt32();
        }
        else if (json.ValueTextEquals("kind"u8))
        {
            json.Read();
            Kind = ReadKind(ref json);
            HasKind = true;
        }
        else if (json.ValueTextEquals("names"u8))
        {
            json.Read();
            Names = ReadNames(ref json);
        }
        else
        {
            return TryReadStatus(ref json);
        }

        return true;
    }

    private bool TryReadStatus(ref Utf8JsonReader json)
    {
        if (json.ValueTextEquals("size"u8))
        {
            json.Read();
            Size = json.GetInt64() is >= 0 and long size ? size : throw new JsonException("a size is negative");
        }
        else if (json.ValueTextEquals("mtime"u8))
        {
            json.Read();
            ModifiedTime = ReadTime(ref json);
        }
        else if (json.ValueTextEquals("ctime"u8))
        {
            json.Read();
            ChangeTime = ReadTime(ref json);
        }
        else if (json.ValueTextEquals("mode"u8))
        {
            json.Read();
            Mode = ReadMode(ref json);
        }
        else if (json.ValueTextEquals("uid"u8))
        {
            json.Read();
            Owner = json.GetUInt32();
        }
        else if (json.ValueTextEquals("gid"u8))
        {
            json.Read();
            Group = json.GetUInt32();
        }
        else if (json.ValueTextEquals("inode"u8))
        {
            json.Read();
            Inode = json.GetUInt64();
        }
        else if (json.ValueTextEquals("fs"u8))
        {
            json.Read();
            FileSystem = json.GetUInt64();
        }
        else if (json.ValueTextEquals("links"u8))
        {
            json.Read();
            Links = json.GetUInt32();
        }
        else if (json.ValueTextEquals("rdev"u8))
        {
            json.Read();
            DeviceNumber = json.GetUInt64();
        }
        else
        {
            return false;
        }

        return true;
    }

    private static EntryKind ReadKind(ref Utf8JsonReader json)
    {
        for (int kind = 0; kind < EntryJson.Kinds.Length; kind++)
        {
            if (json.ValueTextEquals(EntryJson.Kinds[kind].EncodedUtf8Bytes))
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
            EntryFields name = default;
            if (json.TokenType != JsonTokenType.PropertyName || !name.TryRead(ref json) || !name.HasPath || !json.Read())
            {
                throw new JsonException("a name is not an object with a path");
            }

            names.Add(name.Path);
        }

        return names;
    }
}
