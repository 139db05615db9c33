using System.Globalization;

namespace NasBackup.Formats;

/// <summary>Nanoseconds since 1970-01-01 UTC as text: seconds, a dot, nine digits. As a JSON number a time would lose its last digits in most readers.</summary>
public static class UnixTime
{
    private const long NanosecondsPerSecond = 1_000_000_000;

    /// <summary>Such as <c>1732400000.000000001</c>; <c>-0.500000000</c> is half a second before 1970.</summary>
    public static string Format(long nanoseconds)
    {
        ulong magnitude = nanoseconds < 0 ? (ulong)-(nanoseconds + 1) + 1 : (ulong)nanoseconds;
        string sign = nanoseconds < 0 ? "-" : "";
        return string.Create(CultureInfo.InvariantCulture, $"{sign}{magnitude / NanosecondsPerSecond}.{magnitude % NanosecondsPerSecond:D9}");
    }

    /// <summary>Reads what <see cref="Format"/> writes.</summary>
    public static bool TryParse(ReadOnlySpan<char> text, out long nanoseconds)
    {
        nanoseconds = 0;
        bool negative = text.StartsWith("-");
        text = negative ? text[1..] : text;
        int dot = text.IndexOf('.');
        if (dot < 1 || text.Length != dot + 10
            || !ulong.TryParse(text[..dot], NumberStyles.None, CultureInfo.InvariantCulture, out ulong seconds)
            || !uint.TryParse(text[(dot + 1)..], NumberStyles.None, CultureInfo.InvariantCulture, out uint fraction)
            || seconds > long.MaxValue / NanosecondsPerSecond - 1)
        {
            return false;
        }

        long magnitude = ((long)seconds * NanosecondsPerSecond) + fraction;
        nanoseconds = negative ? -magnitude : magnitude;
        return true;
    }
}
