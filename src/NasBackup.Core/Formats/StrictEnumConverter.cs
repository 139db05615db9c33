using System.Text.Json;
using System.Text.Json.Serialization;

namespace NasBackup.Formats;

/// <summary>
/// Values of an enumeration by their exact names; numbers, lists of names and what is none of them are refused. The
/// library's own converter would cost each process some twenty methods for each enumeration, compiled when it starts.
/// </summary>
internal sealed class StrictEnumConverter<T> : JsonConverter<T>
    where T : struct, Enum
{
    private static readonly string[] Names = Enum.GetNames<T>();
    private static readonly T[] Values = Enum.GetValues<T>();

    /// <summary>Reads a name.</summary>
    /// <exception cref="JsonException">It is none of the names.</exception>
    public override T Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
    {
        for (int i = 0; reader.TokenType is JsonTokenType.String && i < Names.Length; i++)
        {
            if (reader.ValueTextEquals(Names[i]))
            {
                return Values[i];
            }
        }

        throw new JsonException($"a value is none of {string.Join(", ", Names)}");
    }

    /// <summary>Writes the name of a value.</summary>
    /// <exception cref="JsonException">The value has no name.</exception>
    public override void Write(Utf8JsonWriter writer, T value, JsonSerializerOptions options)
    {
        string name = value.ToString();
        writer.WriteStringValue(Array.IndexOf(Names, name) >= 0 ? name : throw new JsonException($"{typeof(T).Name} has no value {name}"));
    }
}
