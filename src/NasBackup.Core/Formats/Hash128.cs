using System.Globalization;
using System.IO.Hashing;
using System.Text;

namespace NasBackup.Formats;

/// <summary>An XXH128 hash, printed as <c>xxh128sum</c> prints it: 32 lower-case hex digits.</summary>
public readonly record struct Hash128(ulong High, ulong Low)
{
    /// <summary>The hash of some bytes.</summary>
    public static Hash128 Of(ReadOnlySpan<byte> bytes) => From(XxHash128.HashToUInt128(bytes));

    /// <summary>The hash of all that was appended.</summary>
    public static Hash128 Of(XxHash128 hash) => From(hash.GetCurrentHashAsUInt128());

    /// <summary>Reads 32 hex digits.</summary>
    public static bool TryParse(ReadOnlySpan<byte> digits, out Hash128 hash)
    {
        hash = default;
        if (digits.Length != 32
            || !ulong.TryParse(digits[..16], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out ulong high)
            || !ulong.TryParse(digits[16..], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out ulong low))
        {
            return false;
        }

        hash = new Hash128(high, low);
        return true;
    }

    /// <inheritdoc cref="TryParse(ReadOnlySpan{byte}, out Hash128)"/>
    public static bool TryParse(string? digits, out Hash128 hash)
    {
        hash = default;
        return digits is { Length: 32 } && TryParse(Encoding.ASCII.GetBytes(digits), out hash);
    }

    /// <summary>Writes the 32 hex digits.</summary>
    public void Format(Span<byte> digits)
    {
        High.TryFormat(digits, out _, "x16", CultureInfo.InvariantCulture);
        Low.TryFormat(digits[16..], out _, "x16", CultureInfo.InvariantCulture);
    }

    /// <inheritdoc/>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{High:x16}{Low:x16}");

    private static Hash128 From(UInt128 value) => new((ulong)(value >> 64), (ulong)value);
}
