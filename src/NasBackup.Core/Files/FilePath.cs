using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Text;

namespace NasBackup.Files;

/// <summary>
/// A path below some root as the file system keeps it: bytes, with '/' between the components.
/// On Linux a name is bytes, not text, so nothing in the engine goes through <see cref="string"/>
/// to reach a file. An empty path is the root itself.
/// </summary>
/// <remarks>
/// As text (<see cref="ToString"/>, <see cref="Parse"/>) a byte that is not part of valid UTF-8 is written
/// <c>\xHH</c>; a backslash that would read as such an escape is itself written <c>\x5C</c>. The two are
/// inverse to each other for every path.
/// </remarks>
public readonly struct FilePath : IEquatable<FilePath>, IComparable<FilePath>
{
    private static readonly UTF8Encoding Strict = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    private readonly byte[]? _bytes;

    /// <summary>Takes the bytes as they are; the caller gives the array away and never changes it again.</summary>
    public FilePath(byte[] bytes) => _bytes = bytes;

    /// <summary>The root itself.</summary>
    public static FilePath Root => default;

    /// <summary>The path's bytes, without a leading or trailing '/'.</summary>
    public ReadOnlySpan<byte> Bytes => _bytes;

    /// <summary>Whether this is the root itself.</summary>
    public bool IsRoot => Bytes.IsEmpty;

    /// <summary>Whether it consists of names only: no "." or "..", nothing empty, no zero byte; the root does not. Others cannot
    /// be reached below any root.</summary>
    public bool HasOnlyNames => LinuxWalk.IsBelowRoot(Bytes);

    /// <summary>The last component.</summary>
    public ReadOnlySpan<byte> Name => Bytes[(Bytes.LastIndexOf((byte)'/') + 1)..];

    /// <summary>Everything before the last component; the root for a path of one component.</summary>
    public FilePath Parent => ParentBytes is { IsEmpty: false } parent ? new FilePath(parent.ToArray()) : Root;

    /// <summary>The bytes of <see cref="Parent"/>, without a copy.</summary>
    internal ReadOnlySpan<byte> ParentBytes => Bytes[..Math.Max(Bytes.LastIndexOf((byte)'/'), 0)];

    /// <summary>The path as text that keeps every byte; see the remarks of the type.</summary>
    public static FilePath Parse(string text)
    {
        if (!text.Contains("\\x", StringComparison.Ordinal))
        {
            return new FilePath(Encoding.UTF8.GetBytes(text));
        }

        var bytes = new List<byte>(text.Length);
        int plain = 0;
        for (int i = 0; i < text.Length; i++)
        {
            if (TryReadEscape(text.AsSpan(i), out byte escaped))
            {
                bytes.AddRange(Encoding.UTF8.GetBytes(text[plain..i]));
                bytes.Add(escaped);
                i += 3;
                plain = i + 1;
            }
        }

        bytes.AddRange(Encoding.UTF8.GetBytes(text[plain..]));
        return new FilePath([.. bytes]);
    }

    /// <summary>The hash code of a path, or of a part of one. Holds within this process.</summary>
    /// <remarks>Of the runtime's own making: xxHash asks what the processor can do, so it is not compiled ahead.</remarks>
    internal static int HashOf(ReadOnlySpan<byte> path)
    {
        var hash = new HashCode();
        hash.AddBytes(path);
        return hash.ToHashCode();
    }

    /// <summary>Whether the text begins with <c>\xHH</c>.</summary>
    internal static bool TryReadEscape(ReadOnlySpan<char> text, out byte escaped)
    {
        escaped = 0;
        // TryParse alone would take a zero character behind one digit as well.
        return text.Length >= 4 && text[0] == '\\' && text[1] == 'x' && char.IsAsciiHexDigit(text[2]) && char.IsAsciiHexDigit(text[3])
            && byte.TryParse(text[2..4], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out escaped);
    }

    /// <summary>A path from UTF-8 text that holds no escapes (names of our own).</summary>
    public static FilePath FromText(string text) => new(Encoding.UTF8.GetBytes(text));

    /// <summary>The path one component (or several) further down.</summary>
    public FilePath Combine(ReadOnlySpan<byte> below)
    {
        if (IsRoot)
        {
            return new FilePath(below.ToArray());
        }

        if (below.IsEmpty)
        {
            return this;
        }

        var bytes = new byte[Bytes.Length + 1 + below.Length];
        Bytes.CopyTo(bytes);
        bytes[Bytes.Length] = (byte)'/';
        below.CopyTo(bytes.AsSpan(Bytes.Length + 1));
        return new FilePath(bytes);
    }

    /// <inheritdoc cref="Combine(ReadOnlySpan{byte})"/>
    public FilePath Combine(FilePath below) => Combine(below.Bytes);

    /// <inheritdoc cref="Combine(ReadOnlySpan{byte})"/>
    public FilePath Combine(string below) => Combine(Encoding.UTF8.GetBytes(below));

    /// <summary>Whether this path is <paramref name="ancestor"/> or lies below it.</summary>
    public bool IsAtOrBelow(FilePath ancestor)
        => ancestor.IsRoot
        || (Bytes.StartsWith(ancestor.Bytes) && (Bytes.Length == ancestor.Bytes.Length || Bytes[ancestor.Bytes.Length] == (byte)'/'));

    /// <summary>The path as text, where it is valid UTF-8.</summary>
    public bool TryGetText([NotNullWhen(true)] out string? text)
    {
        if (!System.Text.Unicode.Utf8.IsValid(Bytes))
        {
            text = null;
            return false;
        }

        text = Strict.GetString(Bytes);
        return true;
    }

    /// <inheritdoc/>
    public override string ToString() => Display(Bytes);

    /// <summary>Bytes of a name as text that keeps every byte; see the remarks of the type.</summary>
    public static string Display(ReadOnlySpan<byte> bytes)
    {
        if (System.Text.Unicode.Utf8.IsValid(bytes) && bytes.IndexOf("\\x"u8) < 0)
        {
            return Strict.GetString(bytes);
        }

        var text = new StringBuilder(bytes.Length);
        while (!bytes.IsEmpty)
        {
            bool whole = Rune.DecodeFromUtf8(bytes, out Rune rune, out int length) == System.Buffers.OperationStatus.Done;
            bool looksEscaped = bytes.Length >= 4 && bytes[0] == '\\' && bytes[1] == 'x'
                && char.IsAsciiHexDigit((char)bytes[2]) && char.IsAsciiHexDigit((char)bytes[3]);
            if (whole && !looksEscaped)
            {
                text.Append(rune.ToString());
            }
            else
            {
                length = 1;
                text.Append("\\x").Append(bytes[0].ToString("X2", CultureInfo.InvariantCulture));
            }

            bytes = bytes[length..];
        }

        return text.ToString();
    }

    /// <inheritdoc/>
    public bool Equals(FilePath other) => Bytes.SequenceEqual(other.Bytes);

    /// <inheritdoc/>
    public override bool Equals(object? obj) => obj is FilePath other && Equals(other);

    /// <inheritdoc/>
    public override int GetHashCode() => HashOf(Bytes);

    /// <summary>Byte order, component by component: a folder comes right before what it holds.</summary>
    public int CompareTo(FilePath other)
    {
        ReadOnlySpan<byte> a = Bytes;
        ReadOnlySpan<byte> b = other.Bytes;
        int common = a.CommonPrefixLength(b);
        if (common == a.Length || common == b.Length)
        {
            return a.Length.CompareTo(b.Length);
        }

        // '/' ends a component, so it sorts before every other byte.
        int left = a[common] == '/' ? -1 : a[common];
        int right = b[common] == '/' ? -1 : b[common];
        return left.CompareTo(right);
    }

    public static bool operator ==(FilePath left, FilePath right) => left.Equals(right);

    public static bool operator !=(FilePath left, FilePath right) => !left.Equals(right);

    public static bool operator <(FilePath left, FilePath right) => left.CompareTo(right) < 0;

    public static bool operator <=(FilePath left, FilePath right) => left.CompareTo(right) <= 0;

    public static bool operator >(FilePath left, FilePath right) => left.CompareTo(right) > 0;

    public static bool operator >=(FilePath left, FilePath right) => left.CompareTo(right) >= 0;
}
