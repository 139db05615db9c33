using NasBackup.Coordination;
using NasBackup.Formats;
using NasBackup.Transfer;
using NasBackup.Transfer.Volumes;

namespace NasBackup.Jobs;

/// <summary>How a node's run ended, before it is put in the words of a result.</summary>
internal sealed record NodeOutcome(BackupStatus Status, ClusterView? View, CompletionDocument? Completion, string? Problem, string? ErrorId)
{
    public NodeBackupResult ToResult(Identity me, RequestDocument request, NodeHeart heart, TimeSpan duration)
    {
        IReadOnlyList<AssignmentView> mine = [.. (View?.All ?? []).Where(assignment => assignment.Owner == me.Incarnation)];
        IEnumerable<FrozenJournal> counted = mine.Select(assignment => assignment.Terminal?.Frozen).OfType<FrozenJournal>();
        bool lost = mine.Any(assignment => assignment.Terminal is { Kind: SlotKind.TakenOver });
        return new NodeBackupResult
        {
            Node = me.Node,
            Status = Completion is null ? Status : lost ? BackupStatus.TakenOver : Completion.Status,
            PlanId = request.Id,
            SetId = request.SetId,
            DataPath = DataPathOf(request),
            Entries = Completion is null ? heart.EntriesDone : counted.Total(frozen => frozen.Entries),
            Bytes = Completion is null ? heart.BytesDone : counted.Total(frozen => frozen.Bytes),
            FailedEntries = Completion?.FailedEntries ?? 0,
            Failures = FailuresOf(Completion),
            FailedNodes = Completion?.FailedNodes ?? View?.FailedNodes ?? [],
            Takeovers = TakeoversOf(Completion, request.Id),
            Warnings = Completion?.Warnings ?? new Dictionary<string, long>(StringComparer.Ordinal),
            Duration = duration,
            Speed = heart.Meter.Seconds > 0 ? heart.BytesCopied / heart.Meter.Seconds : 0,
            Problem = Problem,
            ErrorId = ErrorId,
        };
    }

    /// <summary>A string for one source, an array for several; in the Archive layout the folder of the volumes.</summary>
    public static object DataPathOf(RequestDocument request)
    {
        if (request.Layout is DeviceLayout.Archive)
        {
            return System.IO.Path.Combine(request.Device, request.SetId, VolumeNames.Root.ToString());
        }

        string[] paths = [.. request.Sources.Select(source => System.IO.Path.Combine(request.Device, request.SetId, SetPaths.DataOf(source.Path).ToString()))];
        return paths.Length == 1 ? paths[0] : paths;
    }

    /// <summary>The first thousand of the entries that failed.</summary>
    public static IReadOnlyList<FailedEntry> FailuresOf(CompletionDocument? completion)
        => [.. (completion?.Failures ?? []).Select(failure => new FailedEntry(failure.Path, failure.ErrorId, failure.Problem, failure.Node))];

    public static IReadOnlyList<Takeover> TakeoversOf(CompletionDocument? completion, string planId)
        => [.. (completion?.Takeovers ?? []).Select(takeover => takeover.ToModel(planId))];
}
