using NasBackup.Coordination;
using NasBackup.Planning;

namespace NasBackup.Jobs;

/// <summary>A takeover that an administrator asks for, who knows that a node is gone and need not wait for the timeout.</summary>
internal sealed class RequestedTakeover(PlanFolder folder, Func<string, NodeCost> costOf)
{
    private readonly Identity _me = new(Identity.Client, folder.Share.Tokens.Next(8));

    /// <summary>Closes all that the node owns, and gives it to those that are at work.</summary>
    /// <exception cref="BackupException">NodeNotInPlan, NodeAlive, PlanNotReady.</exception>
    public IReadOnlyList<Takeover> Run(string failedNode, bool force, CancellationToken cancellation)
    {
        RequestDocument request = folder.ReadRequest()!;
        folder.Planning.Refresh();
        if (folder.Planning.Last is not { Kind: SlotKind.Planned, Plan: { } plan })
        {
            throw new BackupException(ErrorIds.PlanNotReady, ErrorKind.InvalidOperation, $"Plan {folder.PlanId} has no lists yet; there is nothing to take over.", folder.PlanId);
        }

        var view = new ClusterView(folder, plan);
        view.Refresh();
        if (!request.Nodes.Contains(failedNode, StringComparer.OrdinalIgnoreCase) && !view.All.Any(IsItsOwn))
        {
            throw new BackupException(
                ErrorIds.NodeNotInPlan, ErrorKind.InvalidArgument, $"Node {failedNode} has no part in plan {folder.PlanId}; its nodes are {string.Join(", ", request.Nodes)}.", failedNode);
        }

        var detector = new FailureDetector(folder, request.FailureTimeout);
        Watch(detector, request, cancellation);
        if (!force && detector.All.FirstOrDefault(seen => IsNamed(seen.Record.Node) && seen.SeenMoving && !seen.HasLeft) is { } alive)
        {
            throw new BackupException(
                ErrorIds.NodeAlive, ErrorKind.ResourceBusy, $"Node {failedNode} is at work: its record moves (host {alive.Record.Host}, process {alive.Record.ProcessId}). Stop it first, or use -Force: what it has not committed will then be done again.", failedNode);
        }

        Survivor[] survivors = [.. detector.All
            .Where(seen => FailureDetector.IsLiving(seen) && seen.SeenMoving && seen.Record.TakesWork && !IsNamed(seen.Record.Node))
            .Select(seen => new Survivor(seen.Record.Node, seen.Record.Incarnation, costOf(seen.Record.Node)))];
        if (survivors.Length == 0)
        {
            throw new BackupException(
                ErrorIds.PlanNotReady, ErrorKind.InvalidOperation, $"No other node of plan {folder.PlanId} is at work, so nobody could take over from {failedNode}. Start one with Start-NasNodeBackup.", failedNode);
        }

        var closer = new AssignmentCloser(folder, view, _me, static () => { });
        var takeovers = new List<Takeover>();
        var successors = new HashSet<string>(StringComparer.Ordinal);
        using var record = new RecordKeeper(folder, _me);
        foreach (AssignmentView assignment in view.Open.Where(IsItsOwn))
        {
            (SlotDocument slot, int number) = closer.TakeOver(
                assignment, failedNode, assignment.Owner, TakeoverReason.Requested, RecordOf(assignment), survivors, static () => true)!.Value;
            record.AddNews(new SlotChainNews(assignment.Id, number));
            if (slot.Incarnation == _me.Incarnation && slot.Kind is SlotKind.TakenOver)
            {
                successors.UnionWith(slot.Successors!.Where(successor => successor.Owner is not null).Select(successor => $"{successor.Node}.{successor.Owner}"));
                takeovers.Add(TakeoverDocument.Of(assignment.Id, slot).ToModel(folder.PlanId));
            }
        }

        // News travels in records, and by mail where not all read all: with one that tells it, the survivors begin at their next look, not at their next full one.
        record.Write(
            new RecordContent(NodeState.Left, [], 0, 0, 0, new WorkMeter(folder.Share.Runtime), CurrentFile: null, Problem: null, LeftByStop: false),
            takesWork: false);
        var mailbox = new Mailbox(folder, _me);
        foreach (string successor in successors)
        {
            mailbox.TrySend(successor);
        }

        return takeovers;

        RecordDocument? RecordOf(AssignmentView assignment) => assignment.Owner is { } owner ? detector.Find(owner)?.Record : null;
        bool IsNamed(string? node) => failedNode.Equals(node, StringComparison.OrdinalIgnoreCase);
        bool IsItsOwn(AssignmentView assignment) => IsNamed(assignment.Node);
    }

    /// <summary>Long enough to see a few beats of whoever lives.</summary>
    private void Watch(FailureDetector detector, RequestDocument request, CancellationToken cancellation)
    {
        TimeSpan beat = TimeSpan.FromSeconds(Math.Min(1, request.FailureTimeoutSeconds / 4));
        for (int look = 0; look < 10 && !cancellation.IsCancellationRequested; look++)
        {
            detector.Look();
            folder.Share.Runtime.Sleep(beat / 3, cancellation);
        }
    }
}
