using System.Globalization;
using System.Text.RegularExpressions;

namespace NasBackup.Cmdlets.Parameters;

/// <summary>Durations as people type them.</summary>
internal static partial class DurationText
{
    /// <summary>"5" (seconds), "500ms", "5s", "10m", "2h", "1d", "1h30m" or what TimeSpan writes ("00:00:05"); else null.</summary>
    public static TimeSpan? Parse(string text)
    {
        text = text.Trim();
        if (double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out double seconds))
        {
            return FromSeconds(seconds);
        }

        Match match = Pattern().Match(text);
        if (!match.Success)
        {
            return TimeSpan.TryParse(text, CultureInfo.InvariantCulture, out TimeSpan parsed) ? parsed : null;
        }

        double total = 0;
        for (int i = 0; i < match.Groups["number"].Captures.Count; i++)
        {
            double number = double.Parse(match.Groups["number"].Captures[i].ValueSpan, CultureInfo.InvariantCulture);
            total += number * SecondsOf(match.Groups["unit"].Captures[i].Value);
        }

        return FromSeconds(total);
    }

    /// <summary>The duration, or null where it is more than a TimeSpan holds.</summary>
    public static TimeSpan? FromSeconds(double seconds)
        => Math.Abs(seconds) < TimeSpan.MaxValue.TotalSeconds ? TimeSpan.FromSeconds(seconds) : null;

    private static double SecondsOf(string unit) => unit.ToUpperInvariant() switch
    {
        "MS" => 0.001,
        "S" => 1,
        "M" => 60,
        "H" => 3_600,
        _ => 86_400,
    };

    [GeneratedRegex(@"^((?<number>\d+(\.\d+)?)\s*(?<unit>ms|s|m|h|d)\s*)+$", RegexOptions.IgnoreCase | RegexOptions.ExplicitCapture | RegexOptions.CultureInvariant, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Pattern();
}
