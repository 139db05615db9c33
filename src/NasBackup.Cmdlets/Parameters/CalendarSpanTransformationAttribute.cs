using System.Globalization;
using System.Management.Automation;
using System.Text.RegularExpressions;

namespace NasBackup.Cmdlets.Parameters;

/// <summary>Lets a parameter take a span of the calendar as restic writes it (1y5m7d2h: years, months, days, hours), as TimeSpan
/// or as seconds.</summary>
[AttributeUsage(AttributeTargets.Property | AttributeTargets.Field)]
public sealed partial class CalendarSpanTransformationAttribute : ArgumentTransformationAttribute
{
    /// <inheritdoc/>
    public override object Transform(EngineIntrinsics engineIntrinsics, object inputData)
    {
        object plain = inputData is PSObject wrapped ? wrapped.BaseObject : inputData;
        CalendarSpan? span = plain switch
        {
            CalendarSpan given => given,
            TimeSpan time when time >= TimeSpan.Zero => new CalendarSpan(0, 0, time.Days, time - TimeSpan.FromDays(time.Days)),
            string text => Parse(text.Trim()),
            IConvertible number when Numbers.IsNumber(number) && DurationText.FromSeconds(Numbers.ToDouble(number)) is { } seconds && seconds >= TimeSpan.Zero
                => new CalendarSpan(0, 0, 0, seconds),
            _ => null,
        };
        return span ?? throw new ArgumentTransformationMetadataException(
            $"'{inputData}' is not a span of the calendar. Give years, months, days and hours (1y5m7d2h; 30d), or a TimeSpan.");
    }

    private static CalendarSpan? Parse(string text)
    {
        Match match = Pattern().Match(text);
        if (match.Success)
        {
            return TryPart("y", out int years) && TryPart("m", out int months) && TryPart("d", out int days) && TryPart("h", out int hours)
                ? new CalendarSpan(years, months, days, TimeSpan.FromHours(hours))
                : null;
        }

        return TimeSpan.TryParse(text, CultureInfo.InvariantCulture, out TimeSpan span) && span >= TimeSpan.Zero && text.Contains(':', StringComparison.Ordinal)
            ? new CalendarSpan(0, 0, span.Days, span - TimeSpan.FromDays(span.Days))
            : null;

        bool TryPart(string unit, out int number)
        {
            number = 0;
            return !match.Groups[unit].Success || (int.TryParse(match.Groups[unit].ValueSpan, CultureInfo.InvariantCulture, out number) && number < 1_000_000);
        }
    }

    [GeneratedRegex(@"^(?=.)((?<y>\d+)y)?((?<m>\d+)m)?((?<d>\d+)d)?((?<h>\d+)h)?$", RegexOptions.IgnoreCase | RegexOptions.ExplicitCapture | RegexOptions.CultureInvariant, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Pattern();
}
