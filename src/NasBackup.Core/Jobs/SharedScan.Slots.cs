using NasBackup.Coordination;
using NasBackup.Files;
using NasBackup.Formats;
using NasBackup.Planning;

namespace NasBackup.Jobs;

/// <content>What is decided of the parts: how news of it is read, what is published, and how the parts of nodes that failed are
/// taken over.</content>
internal sealed partial class SharedScan
{
    private readonly Dictionary<string, long> _newsCounts = new(StringComparer.Ordinal);
    private long? _lastLook;
    private long? _lastRead;

    /// <summary>Looks at the others, where that is due.</summary>
    /// <returns>Whether it was, and the share has answered.</returns>
    private bool LookAround()
    {
        if (_lastLook is { } last && _runtime.Time.GetElapsedTime(last) < node.Detector.Interval)
        {
            return false;
        }

        _lastLook = _runtime.Time.GetTimestamp();
        if (!node.Detector.Look())
        {
            return false;
        }

        ReadNews();
        JudgeAll();
        return true;
    }

    /// <summary>Whoever says that there is something new is believed; and now and then all is read all the same.</summary>
    private void ReadNews()
    {
        bool any = _lastRead is not { } last || _runtime.Time.GetElapsedTime(last) > node.Request.FailureTimeout / 2;
        foreach (Observation seen in node.Detector.All)
        {
            any |= _newsCounts.GetValueOrDefault(seen.Record.Incarnation) != seen.Record.NewsCount;
            _newsCounts[seen.Record.Incarnation] = seen.Record.NewsCount;
        }

        if (any)
        {
            _view.Refresh();
            node.Folder.Planning.Refresh();
            _lastRead = _runtime.Time.GetTimestamp();
        }
    }

    private void JudgeAll()
    {
        foreach (AssignmentView open in _view.Open.Where(open => open.Owner is not null && open.Id != _inHand))
        {
            (string name, string owner) = (open.Node ?? "", open.Owner!);
            if (node.Me.Node.Equals(name, StringComparison.OrdinalIgnoreCase))
            {
                // An earlier start of this node's; or it could not go on with it.
                TakeOver(open, name, owner, owner == node.Me.Incarnation ? TakeoverReason.Interrupted : TakeoverReason.Restarted, static () => true);
            }
            else if (node.Detector.IsGone(name, owner, Math.Max(open.FirstSeen, open.Slots.LastReadAt), node.Request.FailureTimeout + FailureDetector.VisibilityDelay))
            {
                bool isSeen = node.Detector.Find(owner) is not null;
                string reason = node.Detector.Find(owner) is { HasLeft: true } ? TakeoverReason.Left : TakeoverReason.NoProgress;
                node.Verbose($"{name}, which was scanning {open.Id}, has failed or left ({reason}).");
                TakeOver(open, name, owner, reason, () => !isSeen || node.Detector.StillFailed(owner));
            }
        }
    }

    /// <summary>What it was to scan is anybody's, but for what it gave away.</summary>
    private void TakeOver(AssignmentView open, string name, string owner, string reason, Func<bool> stillHolds)
    {
        AssignmentDocument rest = _lists.Write(NewId(open), RootsOf(open).Select(root => new ListItem(root)), null, null);
        NamedPoint.Reach("reread", node.Folder.Scan(open.Id));
        if (stillHolds())
        {
            Publish(open, node.Me.Slot(node.Folder.Share, SlotKind.TakenOver) with
            {
                Frozen = FrozenJournal.Empty, FailedNode = name, FailedIncarnation = owner, Reason = reason, Successors = [rest],
            });
        }
    }

    /// <summary>Publishes in a chain, tells the others, and takes up what stands there.</summary>
    /// <returns>Whether the slot stands.</returns>
    /// <exception cref="FileSystemException">It could not be found out.</exception>
    private bool Publish(AssignmentView scan, SlotDocument slot)
    {
        long start = _runtime.Time.GetTimestamp();
        while (true)
        {
            try
            {
                SlotDocument published = scan.Slots.PublishNext(slot, out int number);
                _view.AddSuccessors(scan);
                if (published.Token == slot.Token)
                {
                    node.Heart.Publish(new SlotChainNews(scan.Id, number));
                    return true;
                }

                // Behind a cut that was not known, it is published once more: what was given away is read from the chain.
                if (slot.Kind is not SlotKind.TakenOver || scan.Terminal is not null)
                {
                    return false;
                }
            }
            catch (FileSystemException e) when (!e.IsDeviceWide && !node.Cancellation.IsCancellationRequested && _runtime.Time.GetElapsedTime(start) < node.Request.FailoverTimeout)
            {
                // Until it is known whether it stands, nothing may be done that depends on it.
                _runtime.Sleep(WaitStep, node.Cancellation);
            }
        }
    }

    /// <summary>The same for a slot by which a part is opened, cut or closed.</summary>
    /// <exception cref="PlanningLostException">It could not be found out; the part is given back, as far as it is this node's, when it can be.</exception>
    private bool PublishOrLose(AssignmentView scan, SlotDocument slot)
    {
        try
        {
            return Publish(scan, slot);
        }
        catch (FileSystemException e)
        {
            throw new PlanningLostException($"it is not known what was decided: {e.Message}");
        }
    }

    private void ThrowIfAnotherPlans()
    {
        if (node.Folder.Planning.Last is { } last && last.Incarnation != node.Me.Incarnation)
        {
            throw new PlanningLostException($"{last.Node} plans now");
        }
    }

    private void ThrowIfPlanned()
    {
        if (node.Folder.Planning.End is { } end)
        {
            throw new PlanningLostException($"{end.Node} has ended the planning");
        }
    }

    private string NewId(AssignmentView scan) => $"{AssignmentView.ListOf(scan.Id)}-{node.Folder.Share.Tokens.Next(8)}";
}
