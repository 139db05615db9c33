using NasBackup.Coordination;

namespace NasBackup.Jobs;

/// <summary>
/// Tells others what this node has to tell them: by its record, which those read who watch it, and by mail where not all do.
/// </summary>
internal sealed class Announcer(NodeHeart heart, FailureDetector detector, Mailbox mailbox, Identity me)
{
    /// <summary>A slot was published. Those for whom there is work in it are told, wherever they are.</summary>
    public void Publish(SlotChainNews news, SlotDocument slot)
    {
        heart.Publish(news);
        foreach (AssignmentDocument successor in slot.Successors ?? [])
        {
            if (successor.Owner is { } owner && owner != me.Incarnation)
            {
                Send($"{successor.Node}.{owner}");
            }
        }
    }

    /// <summary>Writes the record now, for one reader above all.</summary>
    public void Show(string reader)
    {
        if (heart.TryCheckpoint())
        {
            Send(reader);
        }
    }

    /// <summary>This node has left: who watches it need not find out.</summary>
    public void SayGoodbye()
    {
        foreach (string watcher in detector.Watchers)
        {
            Send(watcher);
        }
    }

    private void Send(string reader)
    {
        if (detector.IsSparse)
        {
            mailbox.TrySend(reader);
        }
    }
}
