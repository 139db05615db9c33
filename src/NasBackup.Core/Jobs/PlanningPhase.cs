using NasBackup.Coordination;
using NasBackup.Files;

namespace NasBackup.Jobs;

/// <summary>
/// Until there is a plan: one node plans, the others watch it, and replace it when it fails (F17). Where the source has an
/// owner among the nodes, that one goes first: it reads from its own disk.
/// </summary>
internal sealed class PlanningPhase(
    PlanFolder folder,
    RequestDocument request,
    Identity me,
    NodeEnvironment environment,
    FailureDetector detector,
    NodeHeart heart,
    NodeRunOptions options,
    CancellationToken cancellation)
{
    private readonly INodeRuntime _runtime = folder.Share.Runtime;
    private readonly NodeSnapshots _snapshots = new(folder, request, me, environment, options, cancellation);

    /// <summary>The plan, made here or elsewhere.</summary>
    /// <exception cref="BackupException">It cannot be made; the error is that of whoever tried.</exception>
    public PlanDocument Run()
    {
        long start = _runtime.Time.GetTimestamp();
        heart.State = NodeState.Scanning;
        while (true)
        {
            cancellation.ThrowIfCancellationRequested();
            heart.Meter.AddPulse();
            folder.Planning.Refresh();
            switch (folder.Planning.Last)
            {
                case { Kind: SlotKind.Planned, Plan: { } plan }:
                    if (!plan.IsOf(request))
                    {
                        throw new BackupException(
                            ErrorIds.RecordDamaged,
                            ErrorKind.InvalidData,
                            $"The plan in '{folder.Share.Path}/{folder.Root}/planning' is not of the request beside it: it speaks of {plan.Identities.Count} sources, the request of {request.Sources.Count}. Remove it with Remove-NasBackupPlan and make a new one.",
                            folder.PlanId);
                    }

                    heart.State = NodeState.Idle;
                    return plan;
                case { Kind: SlotKind.Failed, Error: { } error }:
                    _snapshots.RemoveAll([]);
                    throw new BackupException(error.Id, error.Kind, error.Message, folder.PlanId);
                case null when IsPreferred() || _runtime.Time.GetElapsedTime(start) > request.FailureTimeout / 4:
                    if (Publish(me.Slot(folder.Share, SlotKind.Claim)))
                    {
                        Plan();
                    }

                    break;
                case { } claim when claim.Incarnation != me.Incarnation && HasFailed(claim):
                    options.Verbose?.Invoke($"{me.Node}: {claim.Node}, which was planning, has failed; planning goes on here.");
                    if (Publish(me.Slot(folder.Share, SlotKind.TakenOver) with { FailedNode = claim.Node, FailedIncarnation = claim.Incarnation }))
                    {
                        Plan();
                    }

                    break;
                default:
                    FreezeForOther();
                    _runtime.Sleep(detector.Interval, cancellation);
                    break;
            }
        }
    }

    private bool IsPreferred()
    {
        string? owner = request.Sources[0].Owner;
        string first = owner is not null && request.Nodes.Contains(owner, StringComparer.OrdinalIgnoreCase) ? owner : request.Nodes[0];
        return !heart.TakesWork || me.Node.Equals(first, StringComparison.OrdinalIgnoreCase);
    }

    private bool HasFailed(SlotDocument claim)
    {
        detector.Look();
        return detector.Find(claim.Incarnation) switch
        {
            { } seen => seen.IsFailed || seen.HasLeft || claim.Node.Equals(me.Node, StringComparison.OrdinalIgnoreCase),
            null => _runtime.Time.GetElapsedTime(detector.WatchingSince) > request.FailureTimeout,
        };
    }

    /// <summary>Another node plans; the sources that this one owns are frozen here. A failure is published, and told by whoever plans.</summary>
    private void FreezeForOther()
    {
        try
        {
            _snapshots.MakeMine(plans: false);
        }
        catch (BackupException e) when (e.ErrorId == ErrorIds.SnapshotFailed)
        {
            options.Verbose?.Invoke($"{me.Node}: {e.Message}");
        }
    }

    private void Plan()
    {
        SlotDocument slot;
        try
        {
            // Freezing takes its time and shows no progress; its commands have a timeout of their own.
            _snapshots.MakeMine(plans: true);
            IReadOnlyList<SnapshotDocument> snapshots = _snapshots.WaitForAll(detector);

            // Working: a planner that finds nothing more for the failure timeout is held for failed like any other.
            heart.State = NodeState.Working;
            var maker = new PlanMaker(folder, request, me, environment)
            {
                Snapshots = snapshots,
                Progress = progress =>
                {
                    heart.Meter.NoteCount(progress.Entries);
                    options.ScanProgress?.Invoke(progress);
                },
                Step = heart.Meter.AddStep,
                Verbose = text => options.Verbose?.Invoke($"{me.Node}: {text}"),
            };
            slot = me.Slot(folder.Share, SlotKind.Planned) with { Plan = maker.Make(cancellation) };
        }
        catch (BackupException e)
        {
            slot = me.Slot(folder.Share, SlotKind.Failed) with { Error = new ErrorDocument(e.ErrorId, e.Kind, e.Message) };
        }
        catch (FileSystemException e)
        {
            slot = me.Slot(folder.Share, SlotKind.Failed) with
            {
                Error = new ErrorDocument(ErrorIds.FileOperationFailed, ErrorKind.DeviceError, $"Node {me.Node} could not make the plan: {e.Message}"),
            };
        }

        Publish(slot);
        heart.State = NodeState.Scanning;
    }

    private bool Publish(SlotDocument slot)
    {
        SlotDocument published = folder.Planning.PublishNext(slot, out int number);
        bool won = published.Token == slot.Token;
        if (won)
        {
            heart.Publish(new SlotChainNews(folder.Planning.Name, number));
        }

        return won;
    }
}
