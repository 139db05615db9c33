using System.Text.Json;

namespace NasBackup.Planning;

/// <summary>A part of a large file, which is a line of a list, and is copied and committed, like an entry.</summary>
/// <param name="File">The number of the file among those of the plan that are split, from 0.</param>
/// <param name="Index">Which of its segments, from 0.</param>
/// <param name="Of">How many it has; 1: the file is copied whole after all.</param>
/// <param name="Offset">Where it begins, in bytes.</param>
/// <param name="Length">Bytes.</param>
public sealed record FileSegment(int File, int Index, int Of, long Offset, long Length)
{
    /// <summary>No file has more: a manifest has a line for each file.</summary>
    public const int Most = 1024;

    /// <summary>Whether it is the whole file, which changed while its segments were read.</summary>
    public bool IsWhole => Of == 1;

    /// <summary>Writes it as a field of the object that is open.</summary>
    internal void WriteTo(Utf8JsonWriter json)
    {
        json.WriteStartObject("segment");
        json.WriteNumber("file", File);
        json.WriteNumber("index", Index);
        json.WriteNumber("of", Of);
        json.WriteNumber("offset", Offset);
        json.WriteNumber("length", Length);
        json.WriteEndObject();
    }

    /// <summary>Reads what <see cref="WriteTo"/> wrote; the reader stands on its start.</summary>
    /// <exception cref="JsonException">It is something else, or says what cannot be.</exception>
    internal static FileSegment Read(ref Utf8JsonReader json)
    {
        if (json.TokenType != JsonTokenType.StartObject)
        {
            throw new JsonException("a segment is not an object");
        }

        (long file, long index, long of, long offset, long length) = (-1, -1, -1, -1, -1);
        while (json.Read() && json.TokenType == JsonTokenType.PropertyName)
        {
            string? name = json.GetString();
            json.Read();
            long value = json.GetInt64();
            switch (name)
            {
                case "file":
                    file = value;
                    break;
                case "index":
                    index = value;
                    break;
                case "of":
                    of = value;
                    break;
                case "offset":
                    offset = value;
                    break;
                case "length":
                    length = value;
                    break;
                default:
                    throw new JsonException($"a segment has a field '{name}'");
            }
        }

        return file is >= 0 and <= int.MaxValue && of is > 0 and <= Most && index >= 0 && index < of && offset >= 0 && length > 0 && length <= long.MaxValue - offset
            ? new FileSegment((int)file, (int)index, (int)of, offset, length)
            : throw new JsonException("a segment is none that a file can have");
    }
}
