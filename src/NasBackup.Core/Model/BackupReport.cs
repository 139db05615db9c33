namespace NasBackup;

/// <summary>All that share and device tell of one backup: what a report is made of.</summary>
public sealed class BackupReport
{
    public required BackupPlan Plan { get; init; }

    /// <summary>The set, or null where the device cannot be reached or has none of this plan.</summary>
    public BackupSet? Set { get; init; }

    /// <summary>All assignments, each after the one that it came from.</summary>
    public required IReadOnlyList<ReportAssignment> Assignments { get; init; }

    /// <summary>When how much was committed, in the order of time.</summary>
    public required IReadOnlyList<ReportCommit> Commits { get; init; }

    /// <summary>The largest files, the largest first.</summary>
    public required IReadOnlyList<ReportFile> LargestFiles { get; init; }

    /// <summary>Entries that failed, the first thousand.</summary>
    public required IReadOnlyList<FailedEntry> Failures { get; init; }

    /// <summary>The logs of the plan's nodes, the oldest first (F11).</summary>
    public required IReadOnlyList<NodeLogRecord> Log { get; init; }

    /// <summary>The sets of the same sources on the device, the oldest first.</summary>
    public required IReadOnlyList<BackupSet> History { get; init; }

    /// <summary>When the last thing happened that is known of (UTC).</summary>
    public required DateTime EndedAt { get; init; }

    /// <summary>What could not be read for the report.</summary>
    public required IReadOnlyList<string> Problems { get; init; }
}

/// <summary>The life of one assignment.</summary>
/// <param name="Id">L1, L2, … or that of a successor.</param>
/// <param name="Parent">The assignment that it came from, or null.</param>
/// <param name="Node">Its owner, or the node that it was for.</param>
/// <param name="CreatedAt">When it came into being (UTC, by the clock of whoever made it).</param>
/// <param name="ClosedAt">When it was closed, or null while it is open.</param>
/// <param name="IsTakenOver">Whether another closed it.</param>
/// <param name="Reason">Why it was taken over, or null.</param>
/// <param name="ClosedBy">The node that closed it, or null.</param>
/// <param name="Entries">Entries of its list, without what was cut off.</param>
/// <param name="Bytes">Bytes of these.</param>
/// <param name="CommittedEntries">Entries of it that count.</param>
/// <param name="CommittedBytes">Bytes of these.</param>
/// <param name="IsCutOff">Whether the owner of the parent gave it away while it worked, to be relieved.</param>
public sealed record ReportAssignment(
    string Id,
    string? Parent,
    string Node,
    DateTime CreatedAt,
    DateTime? ClosedAt,
    bool IsTakenOver,
    string? Reason,
    string? ClosedBy,
    long Entries,
    long Bytes,
    long CommittedEntries,
    long CommittedBytes,
    bool IsCutOff = false);

/// <summary>A commit.</summary>
/// <param name="Node">Whose.</param>
/// <param name="Time">When (UTC, by its clock).</param>
/// <param name="Entries">Entries that it committed.</param>
/// <param name="Bytes">Bytes of these.</param>
public sealed record ReportCommit(string Node, DateTime Time, long Entries, long Bytes);

/// <summary>A file of the plan.</summary>
/// <param name="Path">Absolute, as the plan names it.</param>
/// <param name="Bytes">Its size when it was scanned.</param>
/// <param name="Node">The node whose list it stood on first.</param>
public sealed record ReportFile(string Path, long Bytes, string Node);
