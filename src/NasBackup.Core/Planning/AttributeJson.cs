using System.Text.Json;
using NasBackup.Files;

namespace NasBackup.Planning;

/// <summary>How extended attributes are written as JSON, in lists, journals and manifests alike.</summary>
internal static class AttributeJson
{
    /// <summary>Writes the extended attributes, where there are any, into the object that is open.</summary>
    public static void Write(Utf8JsonWriter json, ExtendedAttributes? attributes)
    {
        if (attributes is null or { IsEmpty: true })
        {
            return;
        }

        json.WriteStartArray("xattrs");
        foreach (ExtendedAttribute attribute in attributes.Items)
        {
            json.WriteStartObject();
            PathJson.Write(json, "name", attribute.Name);
            json.WriteBase64String("value", attribute.Value);
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }

    /// <summary>Reads what <see cref="Write"/> wrote; the reader stands on its start.</summary>
    /// <exception cref="JsonException">It is something else.</exception>
    public static ExtendedAttributes Read(ref Utf8JsonReader json)
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
                name = isName ? PathJson.Read(ref json) : isCodedName ? new FilePath(json.GetBytesFromBase64()) : name;
                value = isValue ? json.GetBytesFromBase64() : value;
                json.Skip();
            }

            items.Add(!name.IsRoot && value is not null ? new ExtendedAttribute(name, value) : throw new JsonException("an attribute has no name or no value"));
        }

        return new ExtendedAttributes(items);
    }
}
