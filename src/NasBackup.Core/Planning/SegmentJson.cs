using System.Text.Json;
using NasBackup.Formats;

namespace NasBackup.Planning;

/// <summary>How the segments of a file and their hashes are written as JSON, in lists, journals and manifests alike.</summary>
internal static class SegmentJson
{
    /// <summary>Writes the segments, where there are any, into the object that is open.</summary>
    public static void Write(Utf8JsonWriter json, IReadOnlyList<SegmentHash>? segments)
    {
        if (segments is null)
        {
            return;
        }

        Span<byte> digits = stackalloc byte[32];
        json.WriteStartArray("segments");
        foreach (SegmentHash segment in segments)
        {
            json.WriteStartObject();
            json.WriteNumber("offset", segment.Offset);
            json.WriteNumber("length", segment.Length);
            segment.Hash.Format(digits);
            json.WriteString("hash", digits);
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }

    /// <summary>Reads what <see cref="Write"/> wrote; the reader stands on its start.</summary>
    /// <exception cref="JsonException">It is something else, or the segments do not follow each other.</exception>
    public static IReadOnlyList<SegmentHash> Read(ref Utf8JsonReader json)
    {
        if (json.TokenType != JsonTokenType.StartArray)
        {
            throw new JsonException("segments are not an array");
        }

        var segments = new List<SegmentHash>();
        long end = 0;
        while (json.Read() && json.TokenType == JsonTokenType.StartObject)
        {
            long offset = -1;
            long length = -1;
            Hash128? hash = null;
            while (json.Read() && json.TokenType == JsonTokenType.PropertyName)
            {
                bool isOffset = json.ValueTextEquals("offset"u8);
                bool isLength = json.ValueTextEquals("length"u8);
                bool isHash = json.ValueTextEquals("hash"u8);
                json.Read();
                offset = isOffset ? json.GetInt64() : offset;
                length = isLength ? json.GetInt64() : length;
                hash = isHash ? Hash128.TryParse(json.ValueSpan, out Hash128 found) ? found : throw new JsonException("a hash is not 32 hex digits") : hash;
                json.Skip();
            }

            if (hash is null || offset != end || length <= 0 || length > long.MaxValue - offset || segments.Count == FileSegment.Most)
            {
                throw new JsonException("segments do not follow each other from the start of the file");
            }

            segments.Add(new SegmentHash(offset, length, hash.Value));
            end = offset + length;
        }

        return segments;
    }

    /// <summary>Whether these are the segments of a file of that size; a file without segments is right too.</summary>
    public static IReadOnlyList<SegmentHash>? Checked(IReadOnlyList<SegmentHash>? segments, long size)
        => segments is null || (segments.Count > 0 && segments[^1].End == size) ? segments : throw new JsonException("segments do not end where their file does");
}
