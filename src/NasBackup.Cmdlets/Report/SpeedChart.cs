using NasBackup.Cmdlets.Views;

namespace NasBackup.Cmdlets.Report;

/// <summary>Each node's speed in this run and in those before it: one bar a run, this one strong.</summary>
internal sealed class SpeedChart(BackupReport report, NodeColours colours)
{
    private const int MostRuns = 8;
    private const int MostNodes = 24;
    private const double RowHeight = 34;
    private const double ValueWidth = 92;

    public string Draw()
    {
        var rows = report.Log
            .Where(record => record.Bytes > 0)
            .GroupBy(record => record.Node, StringComparer.OrdinalIgnoreCase)
            .OrderBy(node => node.Key, StringComparer.OrdinalIgnoreCase)
            .Take(MostNodes)
            .Select(node => (Node: node.Key, Runs: node.TakeLast(MostRuns).ToArray()))
            .ToArray();
        if (rows.Length == 0)
        {
            return "<p class=\"note\">The nodes' logs have no record yet.</p>";
        }

        double most = rows.Max(row => row.Runs.Max(run => run.Speed));
        var svg = new Svg("Speeds of this run and of earlier ones", (rows.Length * RowHeight) + 6);
        for (int i = 0; i < rows.Length; i++)
        {
            (string node, NodeLogRecord[] runs) = rows[i];
            double y = 4 + (i * RowHeight);
            svg.Text(TimeAxis.Left - 10, y + 18, node, "name end", TimeAxis.Left - 16);
            double height = Math.Min(24.0 / runs.Length, 12);
            for (int run = 0; run < runs.Length; run++)
            {
                NodeLogRecord record = runs[run];
                bool isThis = record.PlanId == report.Plan.Id;
                double width = record.Speed / most * (TimeAxis.Right - TimeAxis.Left - ValueWidth);
                svg.Box(TimeAxis.Left, y + (run * height), width, height - 0.8, $"bar {colours.Of(node)}{(isThis ? "" : " earlier")}", $"{record.PlanId}: {Humanize.Rate(record.Speed)}");
            }

            double last = runs[^1].Speed / most * (TimeAxis.Right - TimeAxis.Left - ValueWidth);
            double longest = runs.Max(run => run.Speed) / most * (TimeAxis.Right - TimeAxis.Left - ValueWidth);
            svg.Text(TimeAxis.Left + Math.Max(last, longest) + 8, y + 18, Humanize.Rate(runs[^1].Speed), "axis");
        }

        return svg.ToString();
    }
}
