using System.Collections;
using System.Globalization;
using System.Management.Automation;
using System.Numerics;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace NasBackup.Cli.Output;

/// <summary>
/// Objects as single JSON lines: property names as they are, durations in seconds, times in UTC, enums by name.
/// Properties are those that a script would see, so it must be called on the pipeline's thread.
/// </summary>
internal static class JsonOutput
{
    /// <summary>How many objects deep the output goes; what lies deeper is given as text.</summary>
    public const int Depth = 4;

    private static readonly JsonWriterOptions options = new()
    {
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, // read by people as well, and never put into HTML
        SkipValidation = true,
    };

    /// <summary>One object, without the end of the line.</summary>
    public static string Line(object? value) => Text(writer => WriteValue(writer, value, depth: 0));

    /// <summary>An object with the given members, without the end of the line.</summary>
    public static string Object(Action<Utf8JsonWriter> members) => Text(writer =>
    {
        writer.WriteStartObject();
        members(writer);
        writer.WriteEndObject();
    });

    /// <param name="writer">Where to.</param>
    /// <param name="value">Any object, wrapped or not.</param>
    /// <param name="depth">How many objects it lies in; see <see cref="Depth"/>.</param>
    public static void WriteValue(Utf8JsonWriter writer, object? value, int depth)
    {
        var plain = value is PSObject wrapped ? wrapped.BaseObject : value;
        if (WriteSimple(writer, plain))
        {
            return;
        }

        switch (plain)
        {
            case PSCustomObject:
                WriteProperties(writer, PSObject.AsPSObject(value), depth);
                break;
            case FileSystemInfo file when depth > 0:
                writer.WriteStringValue(file.FullName);
                break;
            case IDictionary or IEnumerable when depth > Depth:
                writer.WriteStringValue(TextOf(plain));
                break;
            case IDictionary dictionary:
                WriteDictionary(writer, dictionary, depth);
                break;
            case IEnumerable items:
                WriteArray(writer, items, depth);
                break;
            default:
                WriteProperties(writer, PSObject.AsPSObject(value), depth);
                break;
        }
    }

    private static bool WriteSimple(Utf8JsonWriter writer, object? value)
    {
        switch (value)
        {
            case null or DBNull:
                writer.WriteNullValue();
                break;
            case string text:
                writer.WriteStringValue(text);
                break;
            case bool flag:
                writer.WriteBooleanValue(flag);
                break;
            case SwitchParameter flag:
                writer.WriteBooleanValue(flag.IsPresent);
                break;
            case Enum:
                writer.WriteStringValue(value.ToString());
                break;
            case TimeSpan duration:
                writer.WriteNumberValue(duration.TotalSeconds);
                break;
            case DateTime time:
                writer.WriteStringValue(time.ToUniversalTime());
                break;
            case DateTimeOffset time:
                writer.WriteStringValue(time.UtcDateTime);
                break;
            case double number when !double.IsFinite(number):
            case float single when !float.IsFinite(single):
                writer.WriteNullValue();
                break;
            case byte or sbyte or short or ushort or int or uint or long or ulong or float or double or decimal or BigInteger:
                writer.WriteRawValue(Convert.ToString(value, CultureInfo.InvariantCulture)!);
                break;
            case byte[] bytes:
                writer.WriteBase64StringValue(bytes);
                break;
            case char or Uri or Version or Type or ScriptBlock or IFormattable:
                writer.WriteStringValue(TextOf(value));
                break;
            default:
                return false;
        }

        return true;
    }

    private static void WriteDictionary(Utf8JsonWriter writer, IDictionary dictionary, int depth)
    {
        writer.WriteStartObject();
        foreach (DictionaryEntry entry in dictionary)
        {
            writer.WritePropertyName(TextOf(entry.Key));
            WriteValue(writer, entry.Value, depth + 1);
        }

        writer.WriteEndObject();
    }

    private static void WriteArray(Utf8JsonWriter writer, IEnumerable items, int depth)
    {
        writer.WriteStartArray();
        foreach (var item in items)
        {
            WriteValue(writer, item, depth + 1);
        }

        writer.WriteEndArray();
    }

    private static void WriteProperties(Utf8JsonWriter writer, PSObject value, int depth)
    {
        var properties = depth > Depth ? [] : value.Properties.Where(static property => property.IsGettable).ToList();
        if (properties.Count == 0)
        {
            writer.WriteStringValue(TextOf(value));
            return;
        }

        writer.WriteStartObject();
        foreach (var property in properties)
        {
            object? content;
            try
            {
                content = property.Value;
            }
            catch (RuntimeException)
            {
                continue; // a property that cannot be read has no value to show
            }

            writer.WritePropertyName(property.Name);
            WriteValue(writer, content, depth + 1);
        }

        writer.WriteEndObject();
    }

    private static string Text(Action<Utf8JsonWriter> write)
    {
        using var stream = new MemoryStream();
        using (var writer = new Utf8JsonWriter(stream, options))
        {
            write(writer);
        }

        return Encoding.UTF8.GetString(stream.GetBuffer(), 0, (int)stream.Length);
    }

    private static string TextOf(object value) => Convert.ToString(value, CultureInfo.InvariantCulture) ?? "";
}
