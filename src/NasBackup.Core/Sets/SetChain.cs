using System.Diagnostics.CodeAnalysis;
using NasBackup.Coordination;
using NasBackup.Files;
using NasBackup.Formats;
using NasBackup.Transfer;

namespace NasBackup.Sets;

/// <summary>
/// The slots of one set, in its folder on the device: who uses it, whether it is held, what was found damaged, and whether
/// it is being removed. Pin and Removed are published in the same chain, so of a plan that is about to use a set and a
/// command that is about to remove it one comes second, loses, and is told who won.
/// </summary>
/// <remarks>The folder must have been opened itself, not one above it: then a set that was moved away for its removal is
/// never made anew by whoever comes late. Every call may throw <see cref="FileSystemException"/>. It closes nothing.</remarks>
/// <param name="setId">The set's id.</param>
/// <param name="set">The set's folder.</param>
/// <param name="runtime">Time.</param>
/// <param name="tokens">Ids.</param>
/// <param name="sealer">The cluster's key, where it has one.</param>
[SuppressMessage("Design", "CA1001:Types that own disposable fields should be disposable", Justification = "Closing the share would close the set's folder, which is the caller's.")]
internal sealed class SetChain(string setId, IFileTree set, INodeRuntime runtime, Tokens tokens, Sealer? sealer = null)
{
    // What is published on the device follows the same rules as on the share; closing it would close the set's folder.
    private readonly Share _device = Share.OfSet(set, runtime, tokens, sealer);
    private SlotChain? _chain;

    /// <summary>The set's id.</summary>
    public string SetId => setId;

    /// <summary>The cluster's key, for what lies beside the chain.</summary>
    public Sealer Sealer => _device.Sealer;

    /// <summary>Its removal, or null.</summary>
    public SlotDocument? Removal => Chain.Slots.FirstOrDefault(slot => slot.Kind is SlotKind.Removed);

    /// <summary>Whether it is kept from every removal.</summary>
    public bool IsHeld => Chain.Slots.LastOrDefault(slot => slot.Kind is SlotKind.Hold or SlotKind.Release) is { Kind: SlotKind.Hold };

    /// <summary>The plans that have pinned it and have not said that they need it no longer. A pin may be void all the same,
    /// see <see cref="SetFolders.NeedsItsPins"/>.</summary>
    public IReadOnlyList<string> Pins
    {
        get
        {
            var pins = new List<string>();
            foreach (SlotDocument slot in Chain.Slots)
            {
                if (slot is { Kind: SlotKind.Pin, PinnedBy: { } pinning } && !pins.Contains(pinning, StringComparer.Ordinal))
                {
                    pins.Add(pinning);
                }
                else if (slot is { Kind: SlotKind.Unpin, PinnedBy: { } unpinning })
                {
                    pins.Remove(unpinning);
                }
            }

            return pins;
        }
    }

    /// <summary>What verifications have found; <see cref="DamageNote"/> reads them.</summary>
    public IReadOnlyList<DamageReference> Damage
        => [.. Chain.Slots.Where(slot => slot is { Kind: SlotKind.Damaged, Damage: not null }).Select(slot => slot.Damage!)];

    private SlotChain Chain => _chain ??= new SlotChain(_device, SetPaths.Slots, setId);

    /// <summary>Reads what has been published since the last reading.</summary>
    public void Refresh() => Chain.Refresh();

    /// <summary>
    /// Pins a complete set for a plan: from now on it stays whole until the plan's own set is complete. The plan's folder must
    /// be on the device before, since a pin is void where there is none. May be repeated by whoever plans next.
    /// </summary>
    /// <exception cref="BackupException">SetRemoved: a removal came first, and whose; SetIncomplete: it is not a complete set.</exception>
    public void Pin(string planId, Identity by)
    {
        Refresh();
        while (!Pins.Contains(planId, StringComparer.Ordinal))
        {
            ThrowIfRemoved();
            Chain.PublishNext(by.Slot(_device, SlotKind.Pin) with { PinnedBy = planId }, out _);
            Refresh();
        }

        // A removal takes away set.json before it takes away the slots: so this pin is in a chain that still decides.
        ThrowIfRemoved();
        if (_device.TryReadFile(SetDocument.Path) is null)
        {
            throw new BackupException(
                ErrorIds.SetIncomplete, ErrorKind.InvalidOperation, $"The set {setId} on the device is not complete (or is being removed), so nothing can build on it.", setId);
        }
    }

    /// <summary>The plan needs the set no longer. Not necessary where the plan's set is complete or gone.</summary>
    public void Unpin(string planId, Identity by)
    {
        Refresh();
        while (Removal is null && Pins.Contains(planId, StringComparer.Ordinal))
        {
            Chain.PublishNext(by.Slot(_device, SlotKind.Unpin) with { PinnedBy = planId }, out _);
            Refresh();
        }
    }

    /// <summary>Holds the set, so that nothing removes it, or releases it.</summary>
    /// <exception cref="BackupException">SetRemoved.</exception>
    public void SetHold(bool hold, Identity by)
    {
        Refresh();
        while (IsHeld != hold)
        {
            ThrowIfRemoved();
            Chain.PublishNext(by.Slot(_device, hold ? SlotKind.Hold : SlotKind.Release), out _);
            Refresh();
        }
    }

    /// <summary>Says that a note of damage lies beside the set.</summary>
    /// <exception cref="BackupException">SetRemoved.</exception>
    public void NoteDamage(DamageReference damage, Identity by)
    {
        Refresh();
        SlotDocument slot = by.Slot(_device, SlotKind.Damaged) with { Damage = damage };
        SlotDocument? published = null;
        while (published?.Token != slot.Token)
        {
            ThrowIfRemoved();
            published = Chain.PublishNext(slot, out _);
            Refresh();
        }
    }

    /// <summary>Decides that the set is removed, unless it is held or a plan needs it. It is no set from then on, whatever is
    /// still there of it.</summary>
    /// <param name="by">Who removes it.</param>
    /// <param name="isNeeded">Whether a plan that has pinned it still needs it.</param>
    /// <exception cref="BackupException">SetHeld, SetInUse: with the plan.</exception>
    public void Remove(Identity by, Func<string, bool> isNeeded)
    {
        Refresh();
        while (Removal is null)
        {
            ThrowIfKept(isNeeded);
            Chain.PublishNext(by.Slot(_device, SlotKind.Removed), out _);
            Refresh();
        }
    }

    /// <summary>Throws where the set may not be removed now.</summary>
    /// <exception cref="BackupException">SetHeld, SetInUse: with the plan.</exception>
    public void ThrowIfKept(Func<string, bool> isNeeded)
    {
        if (IsHeld)
        {
            throw new BackupException(
                ErrorIds.SetHeld, ErrorKind.InvalidOperation, $"The set {setId} is held and stays. Release it with Set-NasBackupSet -Hold:$false first.", setId);
        }

        if (Pins.FirstOrDefault(isNeeded) is { } plan)
        {
            throw new BackupException(
                ErrorIds.SetInUse, ErrorKind.ResourceBusy, $"The set {setId} is pinned by plan {plan}, which builds on it. Let that plan come to its end, or remove its unfinished set first.", setId);
        }
    }

    /// <summary>Throws where the set has been removed.</summary>
    /// <exception cref="BackupException">SetRemoved: by whom.</exception>
    public void ThrowIfRemoved()
    {
        if (Removal is { } removal)
        {
            throw new BackupException(
                ErrorIds.SetRemoved, ErrorKind.NotFound, $"The set {setId} was removed by {removal.Node} (at {removal.Time:yyyy-MM-dd HH:mm:ss} UTC by its clock).", setId);
        }
    }
}
