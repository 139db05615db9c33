using System.Text;
using NasBackup.Formats;
using ZstdSharp;

namespace NasBackup.Tests.Fuzz;

/// <summary>
/// Makes bad files of good ones. Half of the time the bad thing is done inside what a checksum covers, and the checksum is
/// made right again, so that the parser behind it is reached.
/// </summary>
internal sealed class Mutator(Random random, IReadOnlyList<byte[]> others)
{
    private static readonly string[] Numbers =
    [
        "-1", "-9223372036854775808", "9223372036854775807", "9223372036854775808", "18446744073709551616", "1e308", "1e999", "-0", "0.5",
        "1e-400", "99999999999999999999999999999999999999", "2147483648", "4294967296", "007", "0",
    ];

    private static readonly string[] Values =
    [
        "null", "true", "[]", "{}", "\"\"", "\"x\"", "[[]]", "{\"path\":1}", "\"../../../etc/shadow\"", "\"/etc/shadow\"", "\"a/../../b\"",
        "\"\\u0000\"", "\"\\ud800\"", "\"..\"", "\".\"", "\"a//b\"", "\"\\\\x2E\\\\x2E/x\"", "\"\\\\x00\"", "\"Claim\"", "\"Planned\"", "99",
        "\"AAAA\"", "\"!!\"", "\"9999-99-99\"", "\"L1\"", "[null]", "[1,2,3]",
    ];

    public byte[] Mutate(byte[] original)
    {
        if (random.Next(2) == 0)
        {
            return Some(original, MutateBytes);
        }

        return IsCompressed(original) ? Compress(MutateLines(Decompress(original))) : MutateLines(original);
    }

    public static byte[] Decompress(byte[] bytes)
    {
        using var source = new MemoryStream(bytes);
        using var stream = new DecompressionStream(source);
        using var target = new MemoryStream();
        stream.CopyTo(target);
        return target.ToArray();
    }

    public static byte[] Compress(byte[] bytes)
    {
        using var compressor = new Compressor(1);
        return compressor.Wrap(bytes).ToArray();
    }

    private byte[] Some(byte[] bytes, Func<byte[], byte[]> mutate)
    {
        for (int i = random.Next(3); i >= 0; i--)
        {
            bytes = mutate(bytes);
        }

        return bytes;
    }

    /// <summary>Changes lines, or what is in them, and makes all sums right again.</summary>
    private byte[] MutateLines(byte[] text)
    {
        List<byte[]> lines = [.. Split(text)];
        int at = random.Next(lines.Count);
        switch (random.Next(8))
        {
            case 0:
                lines.RemoveAt(at);
                break;
            case 1:
                lines.Insert(random.Next(lines.Count), lines[at]);
                break;
            case 2:
                (lines[at], lines[0]) = (lines[0], lines[at]);
                break;
            default:
                lines[at] = MutateLine(lines[at]);
                break;
        }

        return Join(lines);
    }

    private byte[] MutateLine(byte[] line)
    {
        if (!SealedJson.TryOpen(line, out ReadOnlySpan<byte> body))
        {
            return Some(line, MutateJson);
        }

        byte[] sealedLine = SealedJson.Seal(Some(body.ToArray(), MutateJson));
        if (sealedLine.Length >= line.Length)
        {
            return sealedLine;
        }

        // Records stand in places of a fixed length.
        byte[] padded = [.. line];
        padded.AsSpan().Fill((byte)' ');
        sealedLine.CopyTo(padded, 0);
        return padded;
    }

    /// <summary>Lists and manifests end with a line that sums up those before it.</summary>
    private static byte[] Join(List<byte[]> lines)
    {
        using var text = new MemoryStream();
        for (int i = 0; i < lines.Count; i++)
        {
            byte[] line = lines[i];
            if (i > 0 && i == lines.Count - 1 && SealedJson.TryOpen(line, out ReadOnlySpan<byte> body) && body.IndexOf("\"sum\":\""u8) is >= 0 and int at
                && body.Length >= at + 39)
            {
                byte[] summed = body.ToArray();
                Encoding.ASCII.GetBytes(Hash128.Of(text.ToArray()).ToString()).CopyTo(summed, at + 7);
                line = SealedJson.Seal(summed);
            }

            text.Write(line);
            text.WriteByte((byte)'\n');
        }

        return text.ToArray();
    }

    private static IEnumerable<byte[]> Split(byte[] text)
    {
        int start = 0;
        while (start < text.Length)
        {
            int end = Array.IndexOf(text, (byte)'\n', start);
            end = end < 0 ? text.Length : end;
            yield return text[start..end];
            start = end + 1;
        }
    }

    private byte[] MutateJson(byte[] json) => random.Next(10) switch
    {
        0 => MutateBytes(json),
        1 => Replace(json, IsNumber, Encoding.ASCII.GetBytes(Pick(Numbers))),
        2 or 3 => ReplaceValue(json, Encoding.ASCII.GetBytes(Pick(Numbers))),
        4 or 5 => ReplaceValue(json, Encoding.ASCII.GetBytes(Pick(Values))),
        6 => ReplaceValue(json, Nested()),
        7 => ReplaceValue(json, [(byte)'"', .. RandomBytes(random.Next(6)), 0xC3, 0x28, (byte)'"']),
        8 => RemoveProperty(json),
        _ => ReplaceValue(json, Encoding.ASCII.GetBytes($"\"{new string('a', random.Next(2000))}\"")),
    };

    private byte[] Nested()
    {
        int depth = random.Next(8) == 0 ? 100_000 : random.Next(200);
        string open = random.Next(2) == 0 ? "[" : "{\"a\":";
        bool isClosed = open == "[" && random.Next(2) == 0;
        return Encoding.ASCII.GetBytes(string.Concat(Enumerable.Repeat(open, depth)) + (isClosed ? new string(']', depth) : ""));
    }

    /// <summary>Puts something else behind a property's colon, up to the next comma or bracket of the same depth.</summary>
    private byte[] ReplaceValue(byte[] json, byte[] value)
    {
        if (!TryFindValue(json, out int start, out int end))
        {
            return MutateBytes(json);
        }

        return [.. json[..start], .. value, .. json[end..]];
    }

    private byte[] RemoveProperty(byte[] json)
    {
        if (!TryFindValue(json, out int start, out int end))
        {
            return MutateBytes(json);
        }

        int name = Array.LastIndexOf(json, (byte)'"', Math.Max(0, start - 3));
        end += end < json.Length && json[end] == ',' ? 1 : 0;
        return name < 0 ? json : [.. json[..name], .. json[end..]];
    }

    private bool TryFindValue(byte[] json, out int start, out int end)
    {
        List<int> colons = [];
        for (int i = 1; i < json.Length - 1; i++)
        {
            if (json[i] == ':' && json[i - 1] == '"')
            {
                colons.Add(i);
            }
        }

        if (colons.Count == 0)
        {
            start = end = 0;
            return false;
        }

        start = end = colons[random.Next(colons.Count)] + 1;
        int depth = 0;
        bool isText = false;
        for (; end < json.Length; end++)
        {
            byte c = json[end];
            isText ^= c == '"' && json[end - 1] != '\\';
            depth += isText ? 0 : c is (byte)'[' or (byte)'{' ? 1 : c is (byte)']' or (byte)'}' ? -1 : 0;
            if (!isText && (depth < 0 || (depth == 0 && c == ',')))
            {
                break;
            }
        }

        return true;
    }

    private byte[] Replace(byte[] json, Func<byte, bool> isPart, byte[] replacement)
    {
        int[] starts = [.. Enumerable.Range(1, Math.Max(0, json.Length - 1)).Where(i => isPart(json[i]) && !isPart(json[i - 1]))];
        if (starts.Length == 0)
        {
            return json;
        }

        int start = starts[random.Next(starts.Length)];
        int end = start;
        while (end < json.Length && isPart(json[end]))
        {
            end++;
        }

        return [.. json[..start], .. replacement, .. json[end..]];
    }

    private byte[] MutateBytes(byte[] bytes)
    {
        if (bytes.Length == 0)
        {
            return RandomBytes(20);
        }

        int at = random.Next(bytes.Length);
        int length = random.Next(1, Math.Min(64, bytes.Length - at) + 1);
        switch (random.Next(9))
        {
            case 0 or 1:
                byte[] flipped = [.. bytes];
                flipped[at] ^= (byte)(1 << random.Next(8));
                return flipped;
            case 2:
                byte[] set = [.. bytes];
                set[at] = (byte)random.Next(256);
                return set;
            case 3:
                return bytes[..at];
            case 4:
                return [.. bytes[..at], .. bytes[(at + length)..]];
            case 5:
                return [.. bytes[..at], .. RandomBytes(length), .. bytes[at..]];
            case 6:
                return [.. bytes[..(at + length)], .. bytes[at..]];
            case 7:
                byte[] zeros = [.. bytes];
                zeros.AsSpan(at, length).Clear();
                return zeros;
            default:
                byte[] other = others[random.Next(others.Count)];
                int cut = random.Next(other.Length + 1);
                return [.. bytes[..at], .. other[cut..Math.Min(other.Length, cut + 4096)]];
        }
    }

    private byte[] RandomBytes(int length)
    {
        var bytes = new byte[length];
        random.NextBytes(bytes);
        return bytes;
    }

    private string Pick(string[] choices) => choices[random.Next(choices.Length)];

    private static bool IsNumber(byte c) => c is >= (byte)'0' and <= (byte)'9';

    /// <summary>An input for a person who looks for what is wrong with it.</summary>
    public static string Show(byte[] bytes)
    {
        try
        {
            bytes = IsCompressed(bytes) ? Decompress(bytes) : bytes;
        }
        catch (Exception e) when (e is ZstdException or EndOfStreamException)
        {
            return $"(compressed) {Convert.ToBase64String(bytes)}";
        }

        return string.Concat(Encoding.Latin1.GetString(bytes, 0, Math.Min(bytes.Length, 3000)).Where(c => !char.IsControl(c) || c == '\n'));
    }

    private static bool IsCompressed(byte[] bytes) => bytes.AsSpan().StartsWith((ReadOnlySpan<byte>)[0x28, 0xB5, 0x2F, 0xFD]);
}
