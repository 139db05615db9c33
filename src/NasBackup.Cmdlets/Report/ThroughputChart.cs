using System.Text;
using NasBackup.Cmdlets.Views;

namespace NasBackup.Cmdlets.Report;

/// <summary>Bytes per second over time, the nodes upon each other.</summary>
internal sealed class ThroughputChart(BackupReport report, TimeAxis axis, NodeColours colours)
{
    private const int MostSteps = 120;
    private const double Top = 14;
    private const double Bottom = 214;

    public string Draw()
    {
        if (report.Commits.Count == 0)
        {
            return "<p class=\"note\">The journals hold no times.</p>";
        }

        // No finer than the commits come: between two of them nothing is known.
        int steps = Math.Clamp(report.Commits.DistinctBy(commit => Math.Round(axis.SecondOf(commit.Time), 1)).Count(), 4, MostSteps);
        double seconds = axis.Length.TotalSeconds / steps;
        var rates = colours.Nodes.ToDictionary(node => node, _ => new double[steps], StringComparer.OrdinalIgnoreCase);
        foreach (IGrouping<string, ReportCommit> node in report.Commits.GroupBy(commit => commit.Node, StringComparer.OrdinalIgnoreCase))
        {
            Spread(node, rates[node.Key], seconds);
        }

        double[] total = [.. Enumerable.Range(0, steps).Select(step => rates.Values.Sum(rate => rate[step]))];
        double most = NiceTop(total.Max());
        var svg = new Svg("Bytes per second over time", Bottom + 26);
        axis.Draw(svg, Top, Bottom);
        for (int i = 0; i <= 4; i++)
        {
            double y = Bottom - ((Bottom - Top) * i / 4);
            svg.Line(TimeAxis.Left, y, TimeAxis.Right, y, "grid").Text(TimeAxis.Left - 10, y + 4, i == 0 ? "0" : Humanize.Rate(most * i / 4), "axis end");
        }

        var below = new double[steps];
        foreach (string node in colours.Nodes)
        {
            double[] above = [.. below.Zip(rates[node], (floor, rate) => floor + rate)];
            if (rates[node].Any(rate => rate > 0))
            {
                svg.Path(Area(below, above, seconds, most), $"area {colours.Of(node)}", node);
            }

            below = above;
        }

        return svg.ToString();
    }

    /// <summary>What a commit brought was moved since the one before.</summary>
    private void Spread(IEnumerable<ReportCommit> commits, double[] rates, double step)
    {
        double last = 0;
        bool isFirst = true;
        foreach (ReportCommit commit in commits.OrderBy(commit => commit.Time))
        {
            double to = axis.SecondOf(commit.Time);
            double from = isFirst ? Math.Max(0, to - step) : last;
            double span = Math.Max(to - from, step);
            from = Math.Max(0, to - span);
            for (int i = Math.Clamp((int)(from / step), 0, rates.Length - 1); i < rates.Length && i * step <= to; i++)
            {
                double overlap = Math.Min(to, (i + 1) * step) - Math.Max(from, i * step);
                rates[i] += Math.Max(0, overlap) / span * commit.Bytes / step;
            }

            last = to;
            isFirst = false;
        }
    }

    private string Area(double[] below, double[] above, double step, double most)
    {
        double Y(double rate) => Bottom - (rate / most * (Bottom - Top));
        var path = new StringBuilder("M");
        for (int i = 0; i < above.Length; i++)
        {
            path.Append($"{Svg.Number(axis.AtSecond(i * step))} {Svg.Number(Y(above[i]))}L{Svg.Number(axis.AtSecond((i + 1) * step))} {Svg.Number(Y(above[i]))}L");
        }

        for (int i = below.Length - 1; i >= 0; i--)
        {
            path.Append($"{Svg.Number(axis.AtSecond((i + 1) * step))} {Svg.Number(Y(below[i]))}L{Svg.Number(axis.AtSecond(i * step))} {Svg.Number(Y(below[i]))}{(i == 0 ? "Z" : "L")}");
        }

        return path.ToString();
    }

    private static double NiceTop(double value)
    {
        double unit = Math.Pow(1024, Math.Floor(Math.Log(Math.Max(value, 1), 1024)));
        double count = Math.Max(value, 1) / unit;
        double[] nice = [1, 2, 4, 8, 10, 16, 20, 40, 80, 100, 160, 200, 400, 800, 1024];
        return unit * nice.First(step => step >= count);
    }
}
