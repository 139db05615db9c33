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
        Field field = FieldOf(ref json);
        if (field is Field.None)
        {
            return false;
        }

        json.Read();
        switch (field)
        {
            case Field.Path:
                Path = PathJson.Read(ref json);
                HasPath = true;
                break;
            case Field.PathBase64:
                Path = new FilePath(json.GetBytesFromBase64());
                HasPath = true;
                break;
            case Field.Kind:
                Kind = ReadKind(ref json);
                HasKind = true;
                break;
            case Field.Source:
                Source = json.GetInt32();
                break;
            case Field.Names:
                Names = ReadNames(ref json);
                break;
            case Field.Size:
                Size = json.GetInt64() is >= 0 and long size ? size : throw new JsonException("a size is negative");
                break;
            case Field.ModifiedTime:
                ModifiedTime = ReadTime(ref json);
                break;
            case Field.ChangeTime:
                ChangeTime = ReadTime(ref json);
                break;
            case Field.Mode:
                Mode = ReadMode(ref json);
                break;
            case Field.Owner:
                Owner = json.GetUInt32();
                break;
            case Field.Group:
                Group = json.GetUInt32();
                break;
            case Field.Inode:
                Inode = json.GetUInt64();
                break;
            case Field.FileSystem:
                FileSystem = json.GetUInt64();
                break;
            case Field.Links:
                Links = json.GetUInt32();
                break;
            case Field.DeviceNumber:
                DeviceNumber = json.GetUInt64();
                break;
        }

        return true;
    }

    // By length first: in millions of lines, comparing each name with all others took most of the time.
    private static Field FieldOf(ref Utf8JsonReader json) => json.ValueSpan.Length switch
    {
        _ when json.ValueIsEscaped => Field.None,
        2 => json.ValueSpan.SequenceEqual("fs"u8) ? Field.FileSystem : Field.None,
        3 => json.ValueSpan.SequenceEqual("uid"u8) ? Field.Owner : json.ValueSpan.SequenceEqual("gid"u8) ? Field.Group : Field.None,
        4 => json.ValueSpan[0] switch
        {
            (byte)'p' => json.ValueSpan.SequenceEqual("path"u8) ? Field.Path : Field.None,
            (byte)'k' => json.ValueSpan.SequenceEqual("kind"u8) ? Field.Kind : Field.None,
            (byte)'s' => json.ValueSpan.SequenceEqual("size"u8) ? Field.Size : Field.None,
            (byte)'m' => json.ValueSpan.SequenceEqual("mode"u8) ? Field.Mode : Field.None,
            (byte)'r' => json.ValueSpan.SequenceEqual("rdev"u8) ? Field.DeviceNumber : Field.None,
            _ => Field.None,
        },
        5 => json.ValueSpan[0] switch
        {
            (byte)'m' => json.ValueSpan.SequenceEqual("mtime"u8) ? Field.ModifiedTime : Field.None,
            (byte)'c' => json.ValueSpan.SequenceEqual("ctime"u8) ? Field.ChangeTime : Field.None,
            (byte)'i' => json.ValueSpan.SequenceEqual("inode"u8) ? Field.Inode : Field.None,
            (byte)'l' => json.ValueSpan.SequenceEqual("links"u8) ? Field.Links : Field.None,
            (byte)'n' => json.ValueSpan.SequenceEqual("names"u8) ? Field.Names : Field.None,
            _ => Field.None,
        },
        6 => json.ValueSpan.SequenceEqual("source"u8) ? Field.Source : Field.None,
        10 => json.ValueSpan.SequenceEqual("pathBase64"u8) ? Field.PathBase64 : Field.None,
        _ => Field.None,
    };

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

    private enum Field
    {
        None,
        Path,
        PathBase64,
        Kind,
        Source,
        Names,
        Size,
        ModifiedTime,
        ChangeTime,
        Mode,
        Owner,
        Group,
        Inode,
        FileSystem,
        Links,
        DeviceNumber,
    }
}
