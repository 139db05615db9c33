using System.Text.Json.Serialization;
using NasBackup.Formats;

namespace NasBackup.Coordination;

/// <summary>The share's marker, <c>nasbackup.json</c>.</summary>
internal sealed partial record ShareDocument(string Format, int Version, string Id)
{
    public const string FormatName = "nasbackup-share";
    public const int CurrentVersion = 1;
}

/// <summary>A registered node, <c>nodes/NAME.json</c>.</summary>
internal sealed partial record NodeDocument(string Name, double? Speed, Dictionary<string, string> PathMap, DateTime RegisteredAt, string? HostName = null);

/// <summary>One source of a request.</summary>
/// <param name="Path">Absolute, as text (<see cref="Files.FilePath"/> notation).</param>
/// <param name="Owner">The node that owns its disk, or null (F14).</param>
internal sealed record SourceDocument(string Path, string? Owner);

/// <summary>What was asked for (F1), <c>request</c>: published once.</summary>
internal sealed partial record RequestDocument
{
    public int Version { get; init; } = 1;

    public required string Id { get; init; }

    public required string Token { get; init; }

    public required DateTime CreatedAt { get; init; }

    public required IReadOnlyList<SourceDocument> Sources { get; init; }

    public required string Device { get; init; }

    public required IReadOnlyList<string> Nodes { get; init; }

    public required PlanStrategy Strategy { get; init; }

    public required DeviceLayout Layout { get; init; }

    /// <summary>Null: incremental where there is a set to build on.</summary>
    public BackupType? Type { get; init; }

    /// <summary>Whether times are distrusted: files that look unchanged are read and compared by hash.</summary>
    public bool Checksum { get; init; }

    public required IReadOnlyList<string> Include { get; init; }

    public required IReadOnlyList<string> Exclude { get; init; }

    public required bool OneFileSystem { get; init; }

    public required bool ExcludeCaches { get; init; }

    public required double FailureTimeoutSeconds { get; init; }

    public required double FailoverTimeoutSeconds { get; init; }

    public required SnapshotMode Snapshot { get; init; }

    public required Durability Durability { get; init; }

    /// <summary>Whether nodes queue behind another backup of the same source to the same device.</summary>
    public bool Wait { get; init; }

    /// <summary>What is done with an existing set; null for a backup.</summary>
    public SetJobDocument? Job { get; init; }

    /// <summary>The set that is made, or that something is done with.</summary>
    [JsonIgnore]
    public string SetId => Job?.SetId ?? Id;

    [JsonIgnore]
    public TimeSpan FailureTimeout => TimeSpan.FromSeconds(FailureTimeoutSeconds);

    [JsonIgnore]
    public TimeSpan FailoverTimeout => TimeSpan.FromSeconds(FailoverTimeoutSeconds);
}

/// <summary>What a plan does with a set that exists.</summary>
internal enum SetJobKind
{
    Verify,
    Restore,
}

/// <summary>A plan that makes no set, but verifies or restores one by several nodes.</summary>
internal sealed record SetJobDocument : IChecked
{
    public required SetJobKind Kind { get; init; }

    public required string SetId { get; init; }

    /// <summary>Of Verify.</summary>
    public VerifyMode Mode { get; init; }

    /// <summary>Of Verify with <see cref="VerifyMode.Sample"/>: how much is read, from 0 to 1.</summary>
    public double Sample { get; init; } = 1;

    /// <summary>Of Restore: the folder to restore to, as the plan names it; null for the old places.</summary>
    public string? Target { get; init; }

    /// <summary>Of Restore.</summary>
    public RestoreConflict Conflict { get; init; }

    /// <summary>Of Restore: patterns of items.</summary>
    public IReadOnlyList<string> Item { get; init; } = [];

    /// <summary>Of Restore: absolute paths of items.</summary>
    public IReadOnlyList<string> LiteralItem { get; init; } = [];

    public void Check()
    {
        FieldRules.Require(PlanFolder.IsPlanId(SetId), "job.setId is not that of a set");
        FieldRules.InRange(Sample, 0, 1, "job.sample");
        if (Target is not null)
        {
            DocumentFields.AbsolutePath(Target, "job.target");
        }

        DocumentFields.Patterns(Item, "job.item");
        FieldRules.Each(LiteralItem, 10_000_000, "job.literalItem", item => DocumentFields.AbsolutePath(item, "job.literalItem"));
    }
}

/// <summary>What a slot decides.</summary>
internal enum SlotKind
{
    /// <summary>An incarnation takes what has no owner: a first list, the planning, the finalising.</summary>
    Claim,

    /// <summary>Terminal: the owner is through with its list; entries that failed go to the successors.</summary>
    Done,

    /// <summary>Of an assignment terminal: the rest goes to the successors. Of planning or finalising: the next one does it.</summary>
    TakenOver,

    /// <summary>Terminal, of planning: the lists are there.</summary>
    Planned,

    /// <summary>Terminal, of planning: it cannot be done, and why.</summary>
    Failed,

    /// <summary>Of the control chain: all nodes are to leave.</summary>
    Stop,

    /// <summary>Of the control chain: nodes may go on.</summary>
    Resume,

    /// <summary>Terminal, of completion: the set is complete.</summary>
    Completed,

    /// <summary>Of a race or a queue: this token was first.</summary>
    Taken,

    /// <summary>Of the chain of snapshots: a source is frozen, or cannot be.</summary>
    Frozen,

    /// <summary>Of a set: a plan is going to use it and must find it whole until its own set is complete.</summary>
    Pin,

    /// <summary>Of a set: that plan needs it no longer.</summary>
    Unpin,

    /// <summary>Of a set: not to be removed, until it is released.</summary>
    Hold,

    /// <summary>Of a set: may be removed again.</summary>
    Release,

    /// <summary>Of a set: a verification found damage, which a note names.</summary>
    Damaged,

    /// <summary>Terminal, of a set: it is being removed, and is no set any more.</summary>
    Removed,
}

/// <summary>How much of a journal counts for ever; later bytes do not exist for anyone.</summary>
internal sealed partial record FrozenJournal(long Length, long Entries, long Bytes, long Failed, string Sum)
{
    public static FrozenJournal Empty { get; } = new(0, 0, 0, 0, "");
}

/// <summary>An assignment that came into being with a plan or a terminal slot; its list was written before.</summary>
/// <param name="Id">L1, L2, … or that of the first list with eight random digits.</param>
/// <param name="Node">The node that it is for, or null for whoever comes first.</param>
/// <param name="Owner">The incarnation that owns it from the start, or null: to be claimed.</param>
/// <param name="List">The name of its list's file.</param>
/// <param name="Entries">Lines of the list.</param>
/// <param name="Bytes">Bytes to copy.</param>
internal sealed partial record AssignmentDocument(string Id, string? Node, string? Owner, string List, long Entries, long Bytes);

/// <summary>One slot of a chain: comes into being at most once and never changes.</summary>
internal sealed partial record SlotDocument
{
    public int Version { get; init; } = 1;

    public required SlotKind Kind { get; init; }

    /// <summary>Tells one's own success from another's.</summary>
    public required string Token { get; init; }

    public required string Node { get; init; }

    public required string Incarnation { get; init; }

    /// <summary>By the clock of the node that wrote it; for people only (promise 5).</summary>
    public required DateTime Time { get; init; }

    public FrozenJournal? Frozen { get; init; }

    public IReadOnlyList<AssignmentDocument>? Successors { get; init; }

    public string? FailedNode { get; init; }

    public string? FailedIncarnation { get; init; }

    public string? Reason { get; init; }

    /// <summary>Of a turn: the plan whose turn it is.</summary>
    public string? PlanId { get; init; }

    public PlanDocument? Plan { get; init; }

    public ErrorDocument? Error { get; init; }

    public CompletionDocument? Completion { get; init; }

    /// <summary>Of Done of a failover: the end of what the command printed.</summary>
    public string? Output { get; init; }

    /// <summary>Of Frozen: the source as it is read.</summary>
    public SnapshotDocument? Snapshot { get; init; }

    /// <summary>Of Pin and Unpin: the plan.</summary>
    public string? PinnedBy { get; init; }

    /// <summary>Of Damaged: what was found.</summary>
    public DamageReference? Damage { get; init; }
}

/// <summary>A note of damage beside a set.</summary>
/// <param name="File">Its name in the set's folder.</param>
/// <param name="Entries">How many entries it names.</param>
/// <param name="IsWhole">Whether nothing of the set may be relied on: its manifest is damaged or missing.</param>
internal sealed record DamageReference(string File, long Entries, bool IsWhole) : IChecked
{
    public void Check()
    {
        DocumentFields.FileName(File, "damage");
        FieldRules.NotNegative(Entries, "damage");
    }
}

/// <summary>An error that is told to other nodes.</summary>
internal sealed record ErrorDocument(string Id, ErrorKind Kind, string Message);

/// <summary>The second step of a plan: its lists.</summary>
internal sealed partial record PlanDocument
{
    public required long Entries { get; init; }

    public required long Bytes { get; init; }

    public required IReadOnlyList<PlanListDocument> Lists { get; init; }

    /// <summary>Of the sources that are frozen (F19); absent in plans without snapshots.</summary>
    public IReadOnlyList<SnapshotDocument>? Snapshots { get; init; }

    /// <summary>The id of the set that this one builds on, or null for a full backup. The plan has pinned it.</summary>
    public string? Base { get; init; }

    /// <summary>What the device will not keep, by kind (<see cref="SetWarnings"/>); a count of 0 where a scan cannot tell. Absent where there is nothing.</summary>
    public IReadOnlyDictionary<string, long>? Warnings { get; init; }

    /// <summary>For each source, by which a node proves that it sees the same one.</summary>
    public required IReadOnlyList<SourceIdentityDocument> Identities { get; init; }

    public required Dictionary<string, long> Skipped { get; init; }

    /// <summary>The first thousand that could not be read.</summary>
    public required IReadOnlyList<UnreadableDocument> Unreadable { get; init; }

    public required long UnreadableCount { get; init; }
}

internal sealed record UnreadableDocument(string Path, string Problem);

internal sealed record PlanListDocument(
    AssignmentDocument Assignment, double Ratio, double Speed, double CostPerEntrySeconds);

/// <summary>A few entries of a source as they were when it was scanned.</summary>
internal sealed record SourceIdentityDocument(
    bool IsFile, ulong RootInode, ulong RootFileSystem, IReadOnlyList<SampleDocument> Samples, string? FileSystem = null);

internal sealed record SampleDocument(string Path, long Size, string Mtime, ulong Inode);

/// <summary>What completion tells everyone (F18); the set.json on the device says the same and decides.</summary>
internal partial record CompletionDocument
{
    public required BackupStatus Status { get; init; }

    /// <summary>Entries that are in the set.</summary>
    public required long Entries { get; init; }

    /// <summary>Bytes of these.</summary>
    public required long Bytes { get; init; }

    /// <summary>Entries that failed for good, and those that could not be read by the scan.</summary>
    public required long FailedEntries { get; init; }

    /// <summary>The first thousand.</summary>
    public required IReadOnlyList<FailureDocument> Failures { get; init; }

    public required IReadOnlyList<string> FailedNodes { get; init; }

    public required IReadOnlyList<TakeoverDocument> Takeovers { get; init; }

    public required IReadOnlyList<NodeSummaryDocument> Nodes { get; init; }

    /// <summary>What is in the set but not quite as it was, counted by kind; as in set.json.</summary>
    public IReadOnlyDictionary<string, long>? Warnings { get; init; }

    /// <summary>The first thousand files that changed each time they were read.</summary>
    public IReadOnlyList<string>? Changed { get; init; }

    /// <summary>Of a job with a set: what it found or did, counted by kind.</summary>
    public IReadOnlyDictionary<string, long>? Counts { get; init; }
}

internal sealed record FailureDocument(string Path, string ErrorId, string Problem, string Node);

internal sealed record NodeSummaryDocument(string Node, long Entries, long Bytes, double Speed, bool Failed);

internal sealed record TakeoverDocument(
    string Assignment,
    string FailedNode,
    string Reason,
    string ClosedBy,
    long CommittedEntries,
    long RemainingEntries,
    long RemainingBytes,
    IReadOnlyList<string> Successors,
    DateTime Time)
{
    /// <summary>What a terminal slot says.</summary>
    public static TakeoverDocument Of(string assignment, SlotDocument slot) => new(
        assignment,
        slot.FailedNode ?? "",
        slot.Reason ?? "",
        slot.Node,
        slot.Frozen?.Entries ?? 0,
        (slot.Successors ?? []).Total(successor => successor.Entries),
        (slot.Successors ?? []).Total(successor => successor.Bytes),
        [.. (slot.Successors ?? []).Select(successor => successor.Node ?? "")],
        slot.Time);

    /// <summary>The same in the words of results.</summary>
    public Takeover ToModel(string planId) => new()
    {
        PlanId = planId,
        Assignment = Assignment,
        FailedNode = FailedNode,
        Reason = Reason,
        ClosedBy = ClosedBy,
        CommittedEntries = CommittedEntries,
        RemainingEntries = RemainingEntries,
        RemainingBytes = RemainingBytes,
        Successors = Successors,
        Time = Time,
    };
}

/// <summary>A line of a node's log (F11), <c>logs/NAME.jsonl</c>.</summary>
internal sealed partial record LogDocument(
    string Plan,
    DateTime CompletedAt,
    double DurationSeconds,
    long Entries,
    long Bytes,
    double TransferRate,
    double CostPerEntrySeconds,
    BackupStatus Status);

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    UseStringEnumConverter = true,
    RespectNullableAnnotations = true,
    Converters =
    [
        typeof(StrictEnumConverter<SlotKind>),
        typeof(StrictEnumConverter<NodeState>),
        typeof(StrictEnumConverter<PlanStrategy>),
        typeof(StrictEnumConverter<DeviceLayout>),
        typeof(StrictEnumConverter<BackupType>),
        typeof(StrictEnumConverter<SnapshotMode>),
        typeof(StrictEnumConverter<Durability>),
        typeof(StrictEnumConverter<BackupStatus>),
        typeof(StrictEnumConverter<ErrorKind>),
        typeof(StrictEnumConverter<SetJobKind>),
        typeof(StrictEnumConverter<VerifyMode>),
        typeof(StrictEnumConverter<RestoreConflict>),
    ])]
[JsonSerializable(typeof(ShareDocument))]
[JsonSerializable(typeof(NodeDocument))]
[JsonSerializable(typeof(RequestDocument))]
[JsonSerializable(typeof(SlotDocument))]
[JsonSerializable(typeof(RecordDocument))]
[JsonSerializable(typeof(LogDocument))]
[JsonSerializable(typeof(RaceDocument))]
internal sealed partial class CoordinationJson : JsonSerializerContext;
