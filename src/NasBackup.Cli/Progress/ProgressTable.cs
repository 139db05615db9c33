using System.Globalization;

using Spectre.Console;
using Spectre.Console.Rendering;

namespace NasBackup.Cli.Progress;

/// <summary>Draws activities as a table of bars, one line each.</summary>
internal static class ProgressTable
{
    private const int NameWidth = 24;
    private const int BarWidth = 20;

    /// <param name="activities">From top to bottom.</param>
    /// <param name="width">Characters in a line; longer text is cut off.</param>
    /// <param name="colour">Whether sequences for colours are wanted.</param>
    /// <returns>As many ended lines as there are activities.</returns>
    public static string Render(IReadOnlyList<Activity> activities, int width, bool colour)
    {
        if (activities.Count == 0)
        {
            return "";
        }

        using var text = new StringWriter(CultureInfo.InvariantCulture) { NewLine = "\n" };
        var console = AnsiConsole.Create(new AnsiConsoleSettings
        {
            Ansi = colour ? AnsiSupport.Yes : AnsiSupport.No,
            ColorSystem = colour ? ColorSystemSupport.Standard : ColorSystemSupport.NoColors,
            Interactive = InteractionSupport.No,
            Out = new AnsiConsoleOutput(text),
        });
        console.Profile.Width = Math.Max(width, 20);
        console.Profile.Capabilities.Unicode = true;

        var nameWidth = Math.Min(NameWidth, activities.Max(static activity => Label(activity).Length));
        var grid = new Grid { Expand = true };
        grid.AddColumn(new GridColumn { NoWrap = true, Width = nameWidth });
        grid.AddColumn(new GridColumn { NoWrap = true, Width = BarWidth });
        grid.AddColumn(new GridColumn { NoWrap = true, Width = 5, Alignment = Justify.Right });
        grid.AddColumn(new GridColumn { NoWrap = true });
        grid.AddColumn(new GridColumn { NoWrap = true, Width = 8, Alignment = Justify.Right, Padding = new Padding(0) });
        foreach (var activity in activities)
        {
            grid.AddRow(
                Cell(Label(activity), Style.Plain),
                new Bar(activity.Percent, BarWidth),
                Cell(activity.Percent is { } percent ? $"{percent} %" : "", Style.Plain),
                Cell(activity.Status, new Style(Color.Grey)),
                Cell(activity.TimeLeft is { } left ? Duration(left) : "", Style.Plain));
        }

        console.Write(grid);
        return text.ToString();
    }

    /// <summary>At most eight characters: <c>1m 05s</c>, <c>3h 12m</c>, <c>2d 04h</c>.</summary>
    public static string Duration(TimeSpan time) => time switch
    {
        { TotalMinutes: < 1 } => $"{time.Seconds}s",
        { TotalHours: < 1 } => $"{time.Minutes}m {time.Seconds:00}s",
        { TotalDays: < 1 } => $"{time.Hours}h {time.Minutes:00}m",
        _ => $"{time.Days}d {time.Hours:00}h",
    };

    private static string Label(Activity activity) => new string(' ', 2 * activity.Depth) + activity.Name.ReplaceLineEndings(" ");

    private static Text Cell(string text, Style style) => new(text, style) { Overflow = Overflow.Ellipsis };

    /// <summary>A bar as wide as its column; empty where nobody knows how much there is to do.</summary>
    private sealed class Bar(int? percent, int width) : Renderable
    {
        protected override Measurement Measure(RenderOptions options, int maxWidth) => new(Math.Min(width, maxWidth), Math.Min(width, maxWidth));

        protected override IEnumerable<Segment> Render(RenderOptions options, int maxWidth)
        {
            var room = Math.Min(width, maxWidth);
            var done = room * (percent ?? 0) / 100;
            var colour = percent == 100 ? Color.Green : Color.Teal;
            yield return new Segment(new string('━', done), new Style(colour));
            yield return new Segment(new string('─', room - done), new Style(Color.Grey));
        }
    }
}
