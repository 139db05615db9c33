namespace NasBackup;

/// <summary>A NAS head that takes part in backups, as it is registered on a share.</summary>
public sealed class Node
{
    /// <summary>The speed that a node counts with when it has neither a log nor a preset, in bytes per second (F7).</summary>
    public const double DefaultSpeed = 100_000_000;

    /// <summary>The share on which it is registered.</summary>
    public required string Share { get; init; }

    /// <summary>Its name: letters, digits, '.', '_' and '-', 63 at most; case does not matter.</summary>
    public required string Name { get; init; }

    /// <summary>The preset speed in bytes per second (F7), or null: learned from the node's log (F3).</summary>
    public double? Speed { get; init; }

    /// <summary>The speed that the next plan counts with, in bytes per second: preset, learned, or the default.</summary>
    public double EffectiveSpeed { get; init; }

    /// <summary>What an entry costs this node beside its bytes, learned from its log.</summary>
    public TimeSpan CostPerEntry { get; init; }

    /// <summary>How this node sees paths: from the plan's path to its own. An entry that begins with <c>node:</c> holds while that node
    /// owns the disk.</summary>
    public IReadOnlyDictionary<string, string> PathMap { get; init; } = new Dictionary<string, string>(StringComparer.Ordinal);

    /// <summary>What a management client reaches the node's machine by, or null: by the node's name.</summary>
    public string? HostName { get; init; }

    /// <summary>When its last backup ended (UTC), or null.</summary>
    public DateTime? LastBackup { get; init; }

    /// <inheritdoc/>
    public override string ToString() => Name;
}
