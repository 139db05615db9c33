using System.Globalization;
using NasBackup.Coordination;
using NasBackup.Files;
using NasBackup.Planning;

namespace NasBackup.Jobs;

/// <summary>What a node's run takes from the world outside the protocol.</summary>
internal sealed class NodeEnvironment
{
    /// <summary>Names another number for <see cref="HeldEntries"/>: for tests, and for machines with little memory, or much.</summary>
    public const string HeldEntriesVariable = "NASBACKUP_HELD_ENTRIES";

    /// <summary>How this node sees a path of the plan.</summary>
    public required Func<string, string> ToOwnPath { get; init; }

    /// <summary>All places at which this node may see a path of a source, given who owns its disk (null: nobody knows), the likeliest first.</summary>
    public Func<string, string?, IReadOnlyList<string>> OwnPaths
    {
        get => field ?? ((path, _) => [ToOwnPath(path)]);
        init;
    }

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

    /// <summary>Up to so many living nodes all watch all.</summary>
    public int WatchAllUpTo { get; init; } = WatchRing.WatchAllUpTo;

    /// <summary>A scan that takes longer than this is shared with the nodes that wait for the plan.</summary>
    public TimeSpan ShareScanAfter { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>Entries that a node holds in memory while it scans and plans, as far as it has a choice: what it scans beyond them it
    /// leaves to other parts of the scan, and a plan of more entries is made from lists on the share.</summary>
    public int HeldEntries { get; init; } = int.TryParse(Environment.GetEnvironmentVariable(HeldEntriesVariable), NumberStyles.None, CultureInfo.InvariantCulture, out int held) ? held : 2_000_000;

    /// <summary>Entries of a part of a scan, once it is in parts: fewer, since a part is sorted and written while the next one is
    /// found, and smaller pieces are sorted faster.</summary>
    public int PartEntries => Math.Max(1, HeldEntries / 4);

    /// <summary>What work costs a node, learned or preset.</summary>
    public required Func<string, NodeCost> CostOf { get; init; }

    /// <summary>Takes the turn for a plan; the plan that is under way instead, or null.</summary>
    public required Func<RequestDocument, Identity, string?> TakeTurn { get; init; }

    /// <summary>What only this node decides.</summary>
    public NodeSettings Settings { get; init; } = new();

    /// <summary>Appends to the node's log (F11).</summary>
    public required Action<NodeBackupResult, NodeHeart> Log { get; init; }

    /// <summary>Where this node sees a source while its owner has its disk.</summary>
    /// <param name="source">The source.</param>
    /// <param name="frozen">Where it is frozen, as the plan's paths are named, or null.</param>
    public string SourcePath(SourceDocument source, string? frozen = null) => OwnPaths(frozen ?? source.Path, source.Owner)[0];
}
