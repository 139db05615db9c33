namespace NasBackup.Cmdlets.Report;

/// <summary>Each node has one colour in all charts; after the eighth they begin again.</summary>
internal sealed class NodeColours(IReadOnlyList<string> nodes)
{
    private const int Colours = 8;

    private readonly Dictionary<string, int> _index = nodes
        .Select(static (node, index) => (node, index))
        .ToDictionary(static pair => pair.node, static pair => pair.index, StringComparer.OrdinalIgnoreCase);

    public IReadOnlyList<string> Nodes => nodes;

    /// <summary>The style class of a node.</summary>
    public string Of(string node) => _index.TryGetValue(node, out int index) ? $"n{index % Colours}" : "n0";
}
