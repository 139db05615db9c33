namespace NasBackup;

/// <summary>How far a plan is.</summary>
public enum PlanStatus
{
    /// <summary>Asked for; nobody has planned it yet.</summary>
    Requested,
    /// <summary>Its lists are on the share; no node has started.</summary>
    Planned,
    Running,
    Stopped,
    /// <summary>It could not be planned; the message is in <see cref="BackupPlan.Problem"/>.</summary>
    Failed,
    Completed,
    CompletedWithErrors,
}

/// <summary>One of a plan's first lists (L1, L2, …) and why it is as long as it is (F4).</summary>
public sealed class PlanList
{
    public required string Assignment { get; init; }

    public required string Node { get; init; }

    /// <summary>The node's part of the whole, rᵢ = Vᵢ ÷ ΣV (F4).</summary>
    public required double Ratio { get; init; }

    /// <summary>The speed it was planned with, in bytes per second.</summary>
    public required double Speed { get; init; }

    /// <summary>What an entry costs beside its bytes.</summary>
    public required TimeSpan CostPerEntry { get; init; }

    public required long Entries { get; init; }

    public required long Bytes { get; init; }

    /// <inheritdoc/>
    public override string ToString() => $"{Assignment} ({Node})";
}

/// <summary>A plan as it stands on its share.</summary>
public sealed class BackupPlan
{
    /// <summary>yyyyMMddTHHmmssZ- and six random characters; its set has the same.</summary>
    public required string Id { get; init; }

    public required string Share { get; init; }

    public required PlanStatus Status { get; init; }

    public required IReadOnlyList<string> Path { get; init; }

    public required string Destination { get; init; }

    public required IReadOnlyList<string> Nodes { get; init; }

    public required PlanStrategy Strategy { get; init; }

    public required DeviceLayout Layout { get; init; }

    /// <summary>Incremental where it builds on an older set; null while that is not decided.</summary>
    public required BackupType? Type { get; init; }

    /// <summary>The set that it builds on, or null.</summary>
    public string? Base { get; init; }

    public IReadOnlyList<string> Include { get; init; } = [];

    public IReadOnlyList<string> Exclude { get; init; } = [];

    public required TimeSpan FailureTimeout { get; init; }

    public required TimeSpan FailoverTimeout { get; init; }

    /// <summary>When nodes look at each other's counters.</summary>
    public MonitorMode MonitorMode { get; init; }

    public IReadOnlyList<string> SourceOwner { get; init; } = [];

    /// <summary>When it was asked for (UTC, by the clock of the machine that asked).</summary>
    public required DateTime CreatedAt { get; init; }

    /// <summary>Entries in all: files, folders, links (F2).</summary>
    public long Entries { get; init; }

    /// <summary>Bytes in all (F2).</summary>
    public long Bytes { get; init; }

    /// <summary>The first lists, one per node.</summary>
    public IReadOnlyList<PlanList> Lists { get; init; } = [];

    /// <summary>What was left out, counted by reason.</summary>
    public IReadOnlyDictionary<string, long> Skipped { get; init; } = new Dictionary<string, long>(StringComparer.Ordinal);

    /// <summary>What the device will not keep of the files, counted by kind (<see cref="SetWarnings"/>); 0 where the scan
    /// cannot tell how many. The set's manifest has it all the same.</summary>
    public IReadOnlyDictionary<string, long> Warnings { get; init; } = new Dictionary<string, long>(StringComparer.Ordinal);

    /// <summary>What could not be read while scanning: path and reason.</summary>
    public IReadOnlyList<string> Unreadable { get; init; } = [];

    /// <summary>Where each source's copy is on the device: a string, or an array where there are several sources.</summary>
    public required object DataPath { get; init; }

    /// <summary>Why it failed or was stopped, or null.</summary>
    public string? Problem { get; init; }

    /// <inheritdoc/>
    public override string ToString() => Id;
}
