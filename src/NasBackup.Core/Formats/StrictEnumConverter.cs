using System.Text.Json.Serialization;

namespace NasBackup.Formats;

/// <summary>Values of an enumeration by their names; a number, which may be none of them, is refused.</summary>
internal sealed class StrictEnumConverter<T> : JsonStringEnumConverter<T>
    where T : struct, Enum
{
    public StrictEnumConverter()
        : base(namingPolicy: null, allowIntegerValues: false)
    {
    }
}
