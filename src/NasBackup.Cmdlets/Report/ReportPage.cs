using System.Globalization;
using System.Text;
using NasBackup.Cmdlets.Views;

namespace NasBackup.Cmdlets.Report;

/// <summary>Makes one HTML page of a report. It stands on its own: no script, nothing that is loaded.</summary>
internal sealed class ReportPage(BackupReport report)
{
    private const int MostFailures = 200;

    private readonly StringBuilder _page = new();

    public string Make()
    {
        string[] nodes = [.. report.Plan.Nodes
            .Concat(report.Assignments.Select(assignment => assignment.Node))
            .Where(node => node.Length > 0)
            .Distinct(StringComparer.OrdinalIgnoreCase)];
        var colours = new NodeColours(nodes);
        DateTime start = report.Assignments.Count > 0 ? report.Assignments.Min(assignment => assignment.CreatedAt) : report.Plan.CreatedAt;
        var axis = new TimeAxis(start, report.EndedAt);
        Head();
        Totals(start);
        if (report.Assignments.Count > 0)
        {
            Section("Nodes and lists", new TimelineChart(report, axis, colours).Draw() + TimelineLegend(colours));
            Section("Throughput", new ThroughputChart(report, axis, colours).Draw() + Legend(colours));
        }

        Section("Speeds against earlier runs", new SpeedChart(report, colours).Draw());
        Takeovers();
        Cuts();
        Files();
        Failures();
        History();
        Foot();
        return _page.ToString();
    }

    private void Head() => _page.Append(CultureInfo.InvariantCulture, $$"""
        <!DOCTYPE html>
        <html lang="en">
        <head>
        <meta charset="utf-8">
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; img-src data:">
        <link rel="icon" href="data:,">
        <title>Backup {{report.Plan.Id}}</title>
        <style>
        {{ReportStyle.Css}}
        </style>
        </head>
        <body><main>
        <h1>Backup {{report.Plan.Id}} <span class="status {{Mood}}">{{report.Plan.Status}}</span></h1>
        <p>{{Svg.Escape(string.Join(", ", report.Plan.Path))}} to {{Svg.Escape(report.Plan.Destination)}}</p>

        """);

    private string Mood => report.Plan.Status switch
    {
        PlanStatus.Completed => "good",
        PlanStatus.Failed => "bad",
        PlanStatus.CompletedWithErrors or PlanStatus.Stopped => "warn",
        _ => "",
    };

    private void Totals(DateTime start)
    {
        long entries = report.Set?.Entries ?? report.Assignments.Sum(assignment => assignment.CommittedEntries);
        long bytes = report.Set?.Bytes ?? report.Assignments.Sum(assignment => assignment.CommittedBytes);
        TimeSpan duration = report.EndedAt - start;
        string[] failed = [.. FailedNodes()];
        _page.Append("<dl class=\"totals\">");
        Total("Entries", Humanize.Count(entries));
        Total("Size", Humanize.Size(bytes));
        Total("Duration", Humanize.Duration(duration));
        Total("Rate", Humanize.Rate(duration.TotalSeconds > 0 ? bytes / duration.TotalSeconds : 0));
        Total("Nodes", report.Plan.Nodes.Count.ToString(CultureInfo.InvariantCulture));
        Total("Failed nodes", failed.Length == 0 ? "none" : ViewText.List(failed));
        Total("Failed entries", Humanize.Count(report.Set?.FailedEntries ?? report.Failures.Count));
        Total("Strategy", $"{report.Plan.Strategy}");
        _page.Append("</dl>\n");
        if (report.Plan.Problem is { } problem)
        {
            _page.Append(CultureInfo.InvariantCulture, $"<p class=\"bad\">{Svg.Escape(problem)}</p>\n");
        }
    }

    private void Total(string name, string value)
        => _page.Append(CultureInfo.InvariantCulture, $"<div><dt>{name}</dt><dd>{Svg.Escape(value)}</dd></div>");

    private IEnumerable<string> FailedNodes() => report.Set is { } set
        ? set.FailedNodes
        : report.Assignments
            .Where(assignment => assignment is { IsTakenOver: true, Reason: not ("Left" or "Interrupted") })
            .Select(assignment => assignment.Node)
            .Distinct(StringComparer.OrdinalIgnoreCase);

    private void Takeovers()
    {
        ReportAssignment[] taken = [.. report.Assignments.Where(assignment => assignment.IsTakenOver)];
        if (taken.Length == 0)
        {
            return;
        }

        var table = new HtmlTable("Time", "List", "Node", "Reason", "Closed by", "Kept#", "Given to others#", "Successors");
        foreach (ReportAssignment it in taken)
        {
            ReportAssignment[] successors = [.. report.Assignments.Where(successor => successor.Parent == it.Id && !successor.IsCutOff)];
            table.Add(
                isMarked: false,
                ViewText.Time(it.ClosedAt),
                it.Id,
                it.Node,
                it.Reason ?? "",
                it.ClosedBy ?? "",
                Humanize.Entries(it.CommittedEntries),
                $"{Humanize.Entries(successors.Sum(successor => successor.Entries))}, {Humanize.Size(successors.Sum(successor => successor.Bytes))}",
                ViewText.List(successors.Select(successor => $"{successor.Id} ({successor.Node})")));
        }

        Section("Takeovers", table.ToString());
    }

    private void Cuts()
    {
        ReportAssignment[] cuts = [.. report.Assignments.Where(assignment => assignment.IsCutOff)];
        if (cuts.Length == 0)
        {
            return;
        }

        Dictionary<string, string> owners = report.Assignments.ToDictionary(assignment => assignment.Id, assignment => assignment.Node, StringComparer.Ordinal);
        var table = new HtmlTable("Time", "List", "Node", "Given to", "As", "Given#");
        foreach (ReportAssignment it in cuts)
        {
            table.Add(
                isMarked: false,
                ViewText.Time(it.CreatedAt),
                it.Parent ?? "",
                owners.GetValueOrDefault(it.Parent ?? "", ""),
                it.Node,
                it.Id,
                $"{Humanize.Entries(it.Entries)}, {Humanize.Size(it.Bytes)}");
        }

        Section("Slow nodes relieved", table.ToString());
    }

    private void Files()
    {
        if (report.LargestFiles.Count == 0)
        {
            return;
        }

        var table = new HtmlTable("Size#", "Node", "Path/");
        foreach (ReportFile file in report.LargestFiles)
        {
            table.Add(isMarked: false, Humanize.Size(file.Bytes), file.Node, file.Path);
        }

        Section("Largest files", table.ToString());
    }

    private void Failures()
    {
        if (report.Failures.Count == 0)
        {
            return;
        }

        var table = new HtmlTable("Path/", "Node", "Error", "Problem");
        foreach (FailedEntry entry in report.Failures.Take(MostFailures))
        {
            table.Add(isMarked: false, entry.Path, entry.Node, entry.ErrorId, entry.Problem);
        }

        long more = (report.Set?.FailedEntries ?? report.Failures.Count) - Math.Min(report.Failures.Count, MostFailures);
        Section("Failed entries", table + (more > 0 ? $"<p class=\"note\">And {Humanize.Count(more)} more.</p>" : ""));
    }

    private void History()
    {
        if (report.History.Count == 0)
        {
            return;
        }

        var table = new HtmlTable("Set", "Status", "Type", "Entries#", "Size#", "New#", "Took#", "Failed nodes");
        foreach (BackupSet set in report.History)
        {
            table.Add(
                set.SetId == report.Plan.Id,
                set.SetId,
                set.IsDamaged || set.DamagedEntries > 0 ? $"{set.Status}, damaged" : $"{set.Status}",
                $"{set.Type}",
                Humanize.Count(set.Entries),
                Humanize.Size(set.Bytes),
                Humanize.Size(set.NewBytes),
                set.CompletedAt is { } completed ? Humanize.Duration(completed - set.CreatedAt) : "",
                ViewText.List(set.FailedNodes));
        }

        Section("Sets of this source", table.ToString());
    }

    private void Section(string title, string content)
        => _page.Append("<section><h2>").Append(title).Append("</h2>\n").Append(content).Append("</section>\n");

    private static string Legend(NodeColours colours) => $"<ul class=\"legend\">{string.Concat(Items(colours))}</ul>\n";

    private static string TimelineLegend(NodeColours colours)
        => $"<ul class=\"legend\">{string.Concat(Items(colours))}<li>paler: the rest of another's list</li><li class=\"bad\">✕ taken over</li></ul>\n";

    private static IEnumerable<string> Items(NodeColours colours) => colours.Nodes.Take(48).Select(node =>
        $"<li><svg viewBox=\"0 0 12 12\" aria-hidden=\"true\"><rect class=\"{colours.Of(node)}\" width=\"12\" height=\"12\" rx=\"2\"/></svg>{Svg.Escape(node)}</li>");

    private void Foot()
    {
        _page.Append("<footer>");
        foreach (string problem in report.Problems)
        {
            _page.Append(CultureInfo.InvariantCulture, $"<p class=\"warn\">Could not be read: {Svg.Escape(problem)}</p>");
        }

        _page.Append(CultureInfo.InvariantCulture, $"""
            <p>Asked for {ViewText.Time(report.Plan.CreatedAt)}; made {ViewText.Time(DateTime.UtcNow)} by NasBackup. Each node's times are by its own clock.</p></footer>
            </main></body></html>

            """);
    }
}
