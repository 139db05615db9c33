using System.Text;

namespace NasBackup.Cmdlets.Report;

/// <summary>A table of the page. A heading that ends with # is over numbers, one with / over paths.</summary>
internal sealed class HtmlTable(params string[] headings)
{
    private readonly StringBuilder _rows = new();

    public void Add(bool isMarked, params string[] cells)
    {
        _rows.Append(isMarked ? "<tr class=\"this\">" : "<tr>");
        for (int i = 0; i < cells.Length; i++)
        {
            _rows.Append("<td").Append(Style(headings[i])).Append('>').Append(Svg.Escape(cells[i])).Append("</td>");
        }

        _rows.Append("</tr>\n");
    }

    /// <inheritdoc/>
    public override string ToString()
    {
        IEnumerable<string> cells = headings.Select(heading => $"<th{Style(heading)}>{Svg.Escape(heading.TrimEnd('#', '/'))}</th>");
        return $"<div class=\"scroll\"><table><thead><tr>{string.Concat(cells)}</tr></thead><tbody>\n{_rows}</tbody></table></div>\n";
    }

    private static string Style(string heading) => heading[^1] switch
    {
        '#' => " class=\"number\"",
        '/' => " class=\"path\"",
        _ => "",
    };
}
