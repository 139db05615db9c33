using NasBackup.Cmdlets.Views;

namespace NasBackup.Cmdlets.Report;

/// <summary>A row per node with what it worked on, and lines from each assignment to those that got its rest, or a tail of it.</summary>
internal sealed class TimelineChart(BackupReport report, TimeAxis axis, NodeColours colours)
{
    /// <summary>More rows than that nobody reads; those that did most are shown.</summary>
    private const int MostRows = 48;

    /// <summary>Nobody worked on such a list while it waited for its node.</summary>
    private const string NeverStarted = "NeverStarted";

    private const double RowHeight = 34;
    private const double BarHeight = 20;
    private const double Top = 8;

    private sealed record Bar(ReportAssignment Assignment, double From, double To, double Y);

    public string Draw()
    {
        ILookup<string, ReportAssignment> work = report.Assignments.ToLookup(assignment => assignment.Node, StringComparer.OrdinalIgnoreCase);
        string[] rows = [.. colours.Nodes
            .OrderByDescending(node => work[node].Count())
            .ThenByDescending(node => work[node].Sum(assignment => assignment.CommittedBytes))
            .Take(MostRows)
            .Order(StringComparer.OrdinalIgnoreCase)];
        double bottom = Top + (rows.Length * RowHeight);
        var svg = new Svg("Which node worked on which list, when", bottom + 26);
        axis.Draw(svg, Top, bottom);
        var bars = new Dictionary<string, Bar>(StringComparer.Ordinal);
        for (int row = 0; row < rows.Length; row++)
        {
            double y = Top + (row * RowHeight) + ((RowHeight - BarHeight) / 2);
            svg.Text(TimeAxis.Left - 10, y + 14, rows[row], "name end", TimeAxis.Left - 16);
            foreach (Bar bar in Bars(work[rows[row]], y))
            {
                bars[bar.Assignment.Id] = bar;
            }
        }

        foreach (Bar bar in bars.Values)
        {
            Draw(svg, bar, colours.Of(bar.Assignment.Node));
        }

        foreach (Bar bar in bars.Values)
        {
            if (bar.Assignment.Parent is { } parent && bars.TryGetValue(parent, out Bar? from))
            {
                Connect(svg, from, bar, bar.Assignment.IsCutOff ? Math.Min(from.To, axis.At(bar.Assignment.CreatedAt)) : from.To);
            }
        }

        string more = colours.Nodes.Count > rows.Length ? $"<p class=\"note\">The {rows.Length} of {colours.Nodes.Count} nodes that did most.</p>" : "";
        return svg + more;
    }

    /// <summary>A node works on one assignment at a time: what it got meanwhile begins when the one before ends.</summary>
    private IEnumerable<Bar> Bars(IEnumerable<ReportAssignment> assignments, double y)
    {
        DateTime free = DateTime.MinValue;
        foreach (ReportAssignment assignment in assignments.OrderBy(assignment => assignment.ClosedAt ?? DateTime.MaxValue).ThenBy(assignment => assignment.CreatedAt))
        {
            DateTime end = assignment.ClosedAt ?? report.EndedAt;
            DateTime start = assignment.CreatedAt > free ? assignment.CreatedAt : free < end ? free : end;
            free = end;
            yield return new Bar(assignment, axis.At(start), axis.At(end), y);
        }
    }

    private static void Draw(Svg svg, Bar bar, string colour)
    {
        ReportAssignment it = bar.Assignment;
        string done = $"{Humanize.Count(it.CommittedEntries)} of {Humanize.Entries(it.Entries)}, {Humanize.Size(it.CommittedBytes)} of {Humanize.Size(it.Bytes)}";
        string end = it switch
        {
            { IsTakenOver: true } => $"; taken over by {it.ClosedBy}: {it.Reason}",
            { ClosedAt: null } => "; open",
            _ => "",
        };
        svg.Box(bar.From, bar.Y, bar.To - bar.From, BarHeight, $"bar {Kind(it)} {colour}", $"{it.Id} of {it.Node}: {done}{end}");
        double room = bar.To - bar.From - 10 - (it.IsTakenOver ? 10 : 0);
        if (it.Reason != NeverStarted && room > Svg.LetterWidth * Math.Min(3, it.Id.Length))
        {
            svg.Text(bar.From + 5, bar.Y + 14, it.Id, "inside", room);
        }

        if (it.IsTakenOver)
        {
            double x = bar.To;
            double y = bar.Y + (BarHeight / 2);
            svg.Path($"M{Svg.Number(x - 5)} {Svg.Number(y - 5)}l10 10m0 -10l-10 10", "failed", $"{it.Reason}: {it.Id} of {it.Node}, closed by {it.ClosedBy}");
        }
    }

    private static string Kind(ReportAssignment it) => it.Reason == NeverStarted ? "never" : it.Parent is null ? "first" : "later";

    private static void Connect(Svg svg, Bar from, Bar to, double startX)
    {
        double startY = from.Y + (BarHeight / 2);
        double endY = to.Y > from.Y ? to.Y : to.Y < from.Y ? to.Y + BarHeight : to.Y + (BarHeight / 2);
        double endX = Math.Max(to.From + 2, 0);
        double bend = (startY + endY) / 2;
        svg.Path(
            $"M{Svg.Number(startX)} {Svg.Number(startY)}C{Svg.Number(startX)} {Svg.Number(bend)} {Svg.Number(endX)} {Svg.Number(bend)} {Svg.Number(endX)} {Svg.Number(endY)}",
            from.Assignment.IsTakenOver && !to.Assignment.IsCutOff ? "takeover" : "handover",
            $"{to.Assignment.Id}: {(to.Assignment.IsCutOff ? "the tail" : "what was left")} of {from.Assignment.Id}, to {to.Assignment.Node}");
    }
}
