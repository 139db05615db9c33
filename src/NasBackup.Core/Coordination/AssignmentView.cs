using NasBackup.Formats;

namespace NasBackup.Coordination;

/// <summary>One assignment as far as its slots have been read.</summary>
/// <param name="document">The assignment as the slot or plan names it that made it.</param>
/// <param name="parent">The assignment that it came from, or null for a first list.</param>
/// <param name="origin">The slot of the parent that made it, or null for a first list.</param>
/// <param name="slots">Its chain.</param>
/// <param name="sources">How many sources the plan has.</param>
/// <param name="firstSeen">When this process first knew of it (the runtime's timestamp).</param>
internal sealed class AssignmentView(
    AssignmentDocument document, AssignmentView? parent, SlotDocument? origin, SlotChain slots, int sources, long firstSeen)
{
    public AssignmentDocument Document => document;

    public string Id => document.Id;

    /// <summary>The first list that an assignment came from.</summary>
    public static string ListOf(string id) => id.Split('-')[0];

    /// <summary>The assignment that this one came from, or null for a first list.</summary>
    public AssignmentView? Parent => parent;

    /// <summary>The slot that made this one, or null for a first list.</summary>
    public SlotDocument? Origin => origin;

    /// <summary>Whether its owner creates the final names; later owners write beside the tree.</summary>
    public bool IsFirst => parent is null;

    /// <summary>
    /// Whether its owner writes segments into the file that it shares with the owners of the file's other segments. Of each
    /// segment it must be the only incarnation that ever could: so it may not come from an owner that failed, and may from one
    /// that cut its list, which had begun nothing of what it gave away.
    /// </summary>
    public bool SharesFiles => parent is null || (origin is { Kind: SlotKind.Cut } && parent.SharesFiles);

    public SlotChain Slots => slots;

    /// <summary>How many sources the plan has; each entry belongs to one of them.</summary>
    public int Sources => sources;

    /// <summary>When this process first knew of it (the runtime's timestamp).</summary>
    public long FirstSeen => firstSeen;

    /// <summary>The owner's node, or the node that it is meant for, or null.</summary>
    public string? Node => Claim?.Node ?? document.Node;

    /// <summary>The incarnation that owns it, or null while nobody has claimed it.</summary>
    public string? Owner => document.Owner ?? Claim?.Incarnation;

    /// <summary>The slot that closed it, or null while it is open.</summary>
    public SlotDocument? Terminal => slots.End;

    /// <summary>The slots by which its owner gave parts of it away, in their order.</summary>
    public IEnumerable<SlotDocument> Cuts => slots.Slots.Where(slot => slot.Kind is SlotKind.Cut);

    /// <summary>Entries that are its own: its list up to the last cut. Ordinals from there on are another's.</summary>
    public long Entries => Cuts.Select(cut => cut.CutAt!.Value).Append(document.Entries).Min();

    /// <summary>Bytes of these.</summary>
    public long Bytes => Math.Max(0, document.Bytes - Cuts.Total(static cut => cut.Successors!.Total(static successor => successor.Bytes)));

    private SlotDocument? Claim => slots.Slots.FirstOrDefault(slot => slot.Kind is SlotKind.Claim);
}
