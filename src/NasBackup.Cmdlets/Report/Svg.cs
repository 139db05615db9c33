using System.Globalization;
using System.Net;
using System.Text;

namespace NasBackup.Cmdlets.Report;

/// <summary>A drawing of a fixed width, in units that are pixels where the page is wide enough; it shrinks with the page.</summary>
/// <param name="label">What it shows, for those who cannot see it.</param>
/// <param name="height">Its height.</param>
internal sealed class Svg(string label, double height)
{
    public const double Width = 960;

    /// <summary>What a letter of the charts' font takes at most, on average.</summary>
    public const double LetterWidth = 6.6;

    private readonly StringBuilder _elements = new();

    public Svg Line(double x1, double y1, double x2, double y2, string style)
        => Add($"<line class=\"{style}\" x1=\"{x1:0.#}\" y1=\"{y1:0.#}\" x2=\"{x2:0.#}\" y2=\"{y2:0.#}\"/>");

    /// <summary>A box; what the title says is shown when it is pointed at.</summary>
    public Svg Box(double x, double y, double width, double height, string style, string title)
        => Add($"<rect class=\"{style}\" x=\"{x:0.#}\" y=\"{y:0.#}\" width=\"{Math.Max(width, 1.5):0.#}\" height=\"{height:0.#}\" rx=\"2\"><title>{Escape(title)}</title></rect>");

    /// <summary>A text that is cut, with its whole in the title, where it is longer than its room.</summary>
    public Svg Text(double x, double y, string text, string style, double room = double.MaxValue)
    {
        string shown = Fit(text, room);
        string title = shown == text ? "" : $"<title>{Escape(text)}</title>";
        return Add($"<text class=\"{style}\" x=\"{x:0.#}\" y=\"{y:0.#}\">{Escape(shown)}{title}</text>");
    }

    public Svg Path(string data, string style, string title = "")
        => Add($"<path class=\"{style}\" d=\"{data}\">{(title.Length > 0 ? $"<title>{Escape(title)}</title>" : "")}</path>");

    /// <summary>A number of a path.</summary>
    public static string Number(double value) => value.ToString("0.#", CultureInfo.InvariantCulture);

    public static string Escape(string text) => WebUtility.HtmlEncode(new string([.. text.Select(letter => char.IsControl(letter) ? '\uFFFD' : letter)]));

    /// <inheritdoc/>
    public override string ToString() => string.Create(
        CultureInfo.InvariantCulture,
        $"<div class=\"scroll\"><svg viewBox=\"0 0 {Width} {height:0.#}\" role=\"img\" aria-label=\"{Escape(label)}\">{_elements}</svg></div>\n");

    private static string Fit(string text, double room)
    {
        int letters = (int)Math.Min(text.Length, room / LetterWidth);
        return letters >= text.Length ? text : letters < 3 ? "" : string.Concat(text.AsSpan(0, letters - 1), "…");
    }

    private Svg Add(FormattableString element)
    {
        _elements.Append(element.ToString(CultureInfo.InvariantCulture));
        return this;
    }
}
