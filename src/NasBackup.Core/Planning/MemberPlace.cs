using System.Runtime.InteropServices;
using System.Text.Json;

namespace NasBackup.Planning;

/// <summary>Where an entry lies in the Archive layout: a member of a tar volume, with the members of its other names behind it.</summary>
/// <param name="Volume">The number of the volume: in a journal among those of the owner, in a manifest among those of the set.</param>
/// <param name="Offset">Where the member's first header begins, in bytes.</param>
/// <param name="Length">Bytes up to the end of the last member; a multiple of 512.</param>
[StructLayout(LayoutKind.Auto)]
public readonly record struct MemberPlace(int Volume, long Offset, long Length)
{
    private static readonly JsonEncodedText Name = JsonEncodedText.Encode("at");

    /// <summary>Where it ends.</summary>
    public long End => Offset + Length;

    /// <summary>Writes the field into the object that is open: lists, journals and manifests have it alike.</summary>
    internal void WriteTo(Utf8JsonWriter json)
    {
        json.WriteStartArray(Name);
        json.WriteNumberValue(Volume);
        json.WriteNumberValue(Offset);
        json.WriteNumberValue(Length);
        json.WriteEndArray();
    }

    /// <summary>Takes the field if it is this one; the reader stands on the property's name and afterwards on its value's end.</summary>
    /// <exception cref="JsonException">The value is no place.</exception>
    internal static bool TryRead(ref Utf8JsonReader json, out MemberPlace place)
    {
        place = default;
        if (!json.ValueTextEquals(Name.EncodedUtf8Bytes))
        {
            return false;
        }

        json.Read();
        if (json.TokenType != JsonTokenType.StartArray)
        {
            throw new JsonException("a place is not an array");
        }

        json.Read();
        int volume = json.GetInt32();
        json.Read();
        long offset = json.GetInt64();
        json.Read();
        long length = json.GetInt64();
        json.Read();
        place = json.TokenType == JsonTokenType.EndArray ? Checked(volume, offset, length) : throw new JsonException("a place has more than three numbers");
        return true;
    }

    /// <summary>Takes it, with the comma before it, from a line that is just as <see cref="WriteTo"/> writes it.</summary>
    /// <returns>False where it is not there, or is to be read in another way; then nothing was taken.</returns>
    internal static bool TryTake(ref Formats.LineCursor line, out MemberPlace place)
    {
        Formats.LineCursor before = line;
        place = default;
        if (line.Take(",\"at\":["u8) && line.TakeNumber(out uint volume) && line.Take(","u8) && line.TakeNumber(out ulong offset)
            && line.Take(","u8) && line.TakeNumber(out ulong length) && line.Take("]"u8)
            && volume <= int.MaxValue && offset <= long.MaxValue / 2 && length <= long.MaxValue / 2)
        {
            place = new MemberPlace((int)volume, (long)offset, (long)length);
            return true;
        }

        line = before;
        return false;
    }

    private static MemberPlace Checked(int volume, long offset, long length)
        => volume >= 0 && offset is >= 0 and <= long.MaxValue / 2 && length is >= 0 and <= long.MaxValue / 2
            ? new MemberPlace(volume, offset, length)
            : throw new JsonException("a place is not one in a volume");
}
