using System.Buffers;
using System.Runtime.InteropServices;
using System.Text;

namespace NasBackup.Files;

internal enum GlobTokenKind
{
    /// <summary>One certain character.</summary>
    Character,
    /// <summary><c>?</c></summary>
    AnyCharacter,
    /// <summary><c>[…]</c></summary>
    OneOf,
    /// <summary><c>*</c></summary>
    InName,
    /// <summary><c>**/</c> at the beginning of a name.</summary>
    Folders,
    /// <summary><c>**</c> anywhere else.</summary>
    Anything,
}

/// <summary>One piece of a pattern. A character is a Unicode scalar value, or <see cref="LoneByte"/> plus a byte that
/// is not part of valid UTF-8.</summary>
[StructLayout(LayoutKind.Auto)]
internal readonly record struct GlobToken(GlobTokenKind Kind, int Character = 0, (int First, int Last)[]? Ranges = null, bool Inverted = false)
{
    internal const int LoneByte = 0x110000;

    internal bool MayBeEmpty => Kind is GlobTokenKind.InName or GlobTokenKind.Folders or GlobTokenKind.Anything;

    internal bool Accepts(int character) => Kind switch
    {
        GlobTokenKind.Character => character == Character,
        GlobTokenKind.AnyCharacter => character != '/',
        _ => character != '/' && Array.Exists(Ranges!, range => character >= range.First && character <= range.Last) != Inverted,
    };

    /// <summary>The first character of the bytes.</summary>
    internal static int Decode(ReadOnlySpan<byte> bytes, out int length)
    {
        if (bytes[0] < 0x80)
        {
            length = 1;
            return bytes[0];
        }

        if (Rune.DecodeFromUtf8(bytes, out Rune rune, out length) == OperationStatus.Done)
        {
            return rune.Value;
        }

        length = 1;
        return LoneByte + bytes[0];
    }
}

/// <summary>Reads the text of a <see cref="Glob"/>.</summary>
internal static class GlobParser
{
    /// <summary>The pieces of a pattern.</summary>
    /// <param name="pattern">As it was given, for messages.</param>
    /// <param name="body">Without '/' at its ends.</param>
    internal static GlobToken[] Parse(string pattern, string body)
    {
        var tokens = new List<GlobToken>();
        int at = 0;
        while (at < body.Length)
        {
            switch (body[at])
            {
                case '*':
                    tokens.Add(ParseStars(body, ref at));
                    break;
                case '?':
                    tokens.Add(new GlobToken(GlobTokenKind.AnyCharacter));
                    at++;
                    break;
                case '[':
                    tokens.Add(ParseSet(pattern, body, ref at));
                    break;
                default:
                    AddCharacters(tokens, body, ref at);
                    break;
            }
        }

        return [.. tokens];
    }

    private static GlobToken ParseStars(string body, ref int at)
    {
        int start = at;
        while (at < body.Length && body[at] == '*')
        {
            at++;
        }

        if (at - start == 1)
        {
            return new GlobToken(GlobTokenKind.InName);
        }

        bool beginsName = start == 0 || body[start - 1] == '/';
        if (beginsName && at < body.Length && body[at] == '/')
        {
            at++;
            return new GlobToken(GlobTokenKind.Folders);
        }

        return new GlobToken(GlobTokenKind.Anything);
    }

    private static GlobToken ParseSet(string pattern, string body, ref int at)
    {
        at++;
        bool inverted = at < body.Length && body[at] is '!' or '^';
        at += inverted ? 1 : 0;
        var ranges = new List<(int First, int Last)>();
        // A ']' that comes first is one of the characters, as in every shell.
        for (bool first = true; ; first = false)
        {
            if (at >= body.Length)
            {
                throw new FormatException($"The pattern '{pattern}' has a '[' without its ']'.");
            }

            if (body[at] == ']' && !first)
            {
                at++;
                return new GlobToken(GlobTokenKind.OneOf, 0, [.. ranges], inverted);
            }

            int low = ReadCharacter(body, ref at);
            int high = low;
            if (at + 1 < body.Length && body[at] == '-' && body[at + 1] != ']')
            {
                at++;
                high = ReadCharacter(body, ref at);
            }

            ranges.Add((low, high));
        }
    }

    /// <summary>Characters that stand for themselves. Escaped bytes that follow one another may make up one character.</summary>
    private static void AddCharacters(List<GlobToken> tokens, string body, ref int at)
    {
        var bytes = new List<byte>();
        Span<byte> buffer = stackalloc byte[4];
        while (at < body.Length && body[at] is not ('*' or '?' or '['))
        {
            int character = ReadCharacter(body, ref at);
            if (character >= GlobToken.LoneByte)
            {
                bytes.Add((byte)(character - GlobToken.LoneByte));
            }
            else
            {
                bytes.AddRange(buffer[..new Rune(character).EncodeToUtf8(buffer)]);
            }
        }

        for (ReadOnlySpan<byte> rest = CollectionsMarshal.AsSpan(bytes); !rest.IsEmpty;)
        {
            tokens.Add(new GlobToken(GlobTokenKind.Character, GlobToken.Decode(rest, out int length)));
            rest = rest[length..];
        }
    }

    private static int ReadCharacter(string body, ref int at)
    {
        if (body[at] == '\\' && at + 1 < body.Length)
        {
            if (FilePath.TryReadEscape(body.AsSpan(at), out byte value))
            {
                at += 4;
                return value < 0x80 ? value : GlobToken.LoneByte + value;
            }

            at++;
        }

        _ = Rune.DecodeFromUtf16(body.AsSpan(at), out Rune rune, out int length);
        at += length;
        return rune.Value;
    }
}
