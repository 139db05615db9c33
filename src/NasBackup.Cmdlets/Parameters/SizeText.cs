using System.Globalization;
using System.Text.RegularExpressions;

namespace NasBackup.Cmdlets.Parameters;

/// <summary>
/// Sizes and rates as people type them. KB is 1024 bytes like KiB: the shell reads 1KB so, typed as a number or
/// converted from text, and the same words must not mean another size in the runner.
/// </summary>
internal static partial class SizeText
{
    /// <summary>"4096", "512KB", "1.5 GiB", "100MB/s"; else null.</summary>
    public static long? Parse(string text)
    {
        Match match = Pattern().Match(text);
        if (!match.Success)
        {
            return null;
        }

        double number = double.Parse(match.Groups["number"].ValueSpan, CultureInfo.InvariantCulture);
        int power = match.Groups["unit"].Success ? "KMGTP".IndexOf(match.Groups["unit"].Value, StringComparison.OrdinalIgnoreCase) + 1 : 0;
        return FromBytes(number * Math.Pow(1024, power));
    }

    /// <summary>Whole bytes, or null where they are negative or more than a long holds.</summary>
    public static long? FromBytes(double bytes)
        => bytes >= 0 && bytes < long.MaxValue ? (long)Math.Round(bytes) : null;

    [GeneratedRegex(@"^\s*(?<number>\d+(\.\d+)?)\s*((?<unit>[KMGTP])(i?B)?|B)?(/s)?\s*$", RegexOptions.IgnoreCase | RegexOptions.ExplicitCapture | RegexOptions.CultureInvariant, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Pattern();
}
