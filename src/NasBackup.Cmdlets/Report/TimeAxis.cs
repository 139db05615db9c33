using NasBackup.Cmdlets.Views;

namespace NasBackup.Cmdlets.Report;

/// <summary>Moments of a backup as places in a drawing, from its start to its end.</summary>
internal sealed class TimeAxis
{
    private static readonly double[] Steps =
        [0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 21600, 43200, 86400, 172800, 604800];

    private readonly DateTime _start;
    private readonly double _seconds;

    public TimeAxis(DateTime start, DateTime end)
    {
        _start = start;
        _seconds = Math.Max(0.1, (end - start).TotalSeconds);
    }

    /// <summary>Where the drawing's own area begins: left of it are names and figures.</summary>
    public const double Left = 130;

    /// <summary>Where it ends: the last label of the axis needs some room.</summary>
    public const double Right = Svg.Width - 34;

    public TimeSpan Length => TimeSpan.FromSeconds(_seconds);

    public double At(DateTime time) => AtSecond((time - _start).TotalSeconds);

    public double AtSecond(double seconds) => Left + (Math.Clamp(seconds / _seconds, 0, 1) * (Right - Left));

    public double SecondOf(DateTime time) => Math.Clamp((time - _start).TotalSeconds, 0, _seconds);

    /// <summary>Lines from top to bottom, each with how long after the start it is.</summary>
    public void Draw(Svg svg, double top, double bottom)
    {
        double step = Steps.FirstOrDefault(step => _seconds / step <= 10, Math.Ceiling(_seconds / 10 / 604800) * 604800);
        for (int i = 0; i * step <= _seconds * 1.0001; i++)
        {
            double x = AtSecond(i * step);
            svg.Line(x, top, x, bottom, "grid").Text(x, bottom + 16, Humanize.Duration(TimeSpan.FromSeconds(i * step)), "axis middle");
        }
    }
}
