using NasBackup.Coordination;
using NasBackup.Files;
using NasBackup.Planning;

namespace NasBackup.Jobs;

/// <summary>What a node's run takes from the world outside the protocol.</summary>
internal sealed class NodeEnvironment
{
    /// <summary>How this node sees a path of the plan.</summary>
    public required Func<string, string> ToOwnPath { get; init; }

    /// <summary>How the plan names a path of this node, as far as its path map can be read backwards; the path itself where it cannot.</summary>
    public Func<string, string> ToPlanPath { get; init; } = path => path;

    /// <summary>The node that this machine is: by name what it runs as where nothing else is said.</summary>
    public string LocalNode { get; init; } = "";

    /// <summary>Opens a folder.</summary>
    public required Func<string, IFileTree> Open { get; init; }

    /// <summary>Opens a folder to read the source from it, where the node's settings allow that.</summary>
    /// <exception cref="BackupException">SourceNotAllowed.</exception>
    public Func<string, IFileTree> OpenSource => path => AllowedPaths.Open(Open, path, Settings.AllowedSource, ErrorIds.SourceNotAllowed);

    /// <summary>Opens a folder that a restore writes to: where the node may write, and, since old places are sources, where it may read.</summary>
    /// <exception cref="BackupException">DestinationNotAllowed.</exception>
    public Func<string, IFileTree> OpenTarget => path => AllowedPaths.Open(
        Open, path, Settings.AllowedDestination is { } allowed ? [.. allowed, .. Settings.AllowedSource ?? []] : null, ErrorIds.DestinationNotAllowed);

    /// <summary>Opens a folder of the device, where the node's settings allow that.</summary>
    /// <exception cref="BackupException">DestinationNotAllowed.</exception>
    public Func<string, IFileTree> OpenDevice => path => AllowedPaths.Open(Open, path, Settings.AllowedDestination, ErrorIds.DestinationNotAllowed);

    /// <summary>What work costs a node, learned or preset.</summary>
    public required Func<string, NodeCost> CostOf { get; init; }

    /// <summary>Takes the turn for a plan; the plan that is under way instead, or null.</summary>
    public required Func<RequestDocument, Identity, string?> TakeTurn { get; init; }

    /// <summary>What only this node decides.</summary>
    public NodeSettings Settings { get; init; } = new();

    /// <summary>Appends to the node's log (F11).</summary>
    public required Action<NodeBackupResult, NodeHeart> Log { get; init; }

    /// <summary>A path map read backwards: the longest own path that matches, replaced.</summary>
    public static string TranslateBack(IReadOnlyDictionary<string, string> map, string path)
        => Translate(map.GroupBy(pair => pair.Value, StringComparer.Ordinal).ToDictionary(group => group.Key, group => group.First().Key, StringComparer.Ordinal), path);

    /// <summary>The longest matching prefix of a path map, replaced; the path itself where none matches.</summary>
    public static string Translate(IReadOnlyDictionary<string, string> map, string path)
    {
        string? best = map.Keys
            .Where(prefix => path == prefix.TrimEnd('/') || path.StartsWith(prefix.TrimEnd('/') + "/", StringComparison.Ordinal))
            .MaxBy(prefix => prefix.Length);
        return best is null ? path : map[best].TrimEnd('/') + path[best.TrimEnd('/').Length..];
    }
}
