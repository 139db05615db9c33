using System.Globalization;
using NasBackup.Files;

namespace NasBackup.Coordination;

/// <summary>
/// A chain of numbered slots in one folder (1, 2, …), each decided once and for ever. Whoever publishes slot n has read all
/// before it, and nobody publishes behind a terminal slot; slots that stand there all the same do not exist for anyone.
/// </summary>
/// <param name="share">Where it lies.</param>
/// <param name="folder">Its folder.</param>
/// <param name="name">What the chain is called in news.</param>
/// <param name="endsWithTakeover">Whether a takeover is terminal: of an assignment it is, of planning and finalising it is not.</param>
/// <param name="isEndless">Whether nothing is terminal: attempts follow attempts.</param>
internal sealed class SlotChain(Share share, FilePath folder, string name, bool endsWithTakeover = false, bool isEndless = false)
{
    private readonly List<SlotDocument> _slots = [];
    private readonly Lock _gate = new();

    /// <summary>What the chain is called in news.</summary>
    public string Name => name;

    /// <summary>The slots that have been read so far; slot n is at n - 1.</summary>
    public IReadOnlyList<SlotDocument> Slots
    {
        get
        {
            lock (_gate)
            {
                return [.. _slots];
            }
        }
    }

    /// <summary>The last slot that has been read, or null.</summary>
    public SlotDocument? Last
    {
        get
        {
            lock (_gate)
            {
                return _slots.Count == 0 ? null : _slots[^1];
            }
        }
    }

    /// <summary>The terminal slot, or null while it has not been read.</summary>
    public SlotDocument? End => Last is { } last && IsTerminal(last) ? last : null;

    /// <summary>When the last slot was first read here (the runtime's timestamp).</summary>
    public long LastReadAt { get; private set; }

    /// <summary>Reads on where the last reading ended; true where something new was there.</summary>
    public bool Refresh()
    {
        bool any = false;
        while (true)
        {
            int next;
            lock (_gate)
            {
                if (HasEnded)
                {
                    return any;
                }

                next = _slots.Count + 1;
            }

            SlotDocument? slot = share.Read(folder.Combine(Number(next)), CoordinationJson.Default.SlotDocument);
            if (slot is null)
            {
                return any;
            }

            Add(next, slot);
            any = true;
        }
    }

    /// <summary>How many slots have been read.</summary>
    public int Count
    {
        get
        {
            lock (_gate)
            {
                return _slots.Count;
            }
        }
    }

    /// <summary>Publishes into the next slot and tells what stands there; it is one's own if it has one's token. Where the
    /// chain has ended, that is the terminal slot: another thread of this process may have read it a moment ago.</summary>
    /// <param name="document">What to publish.</param>
    /// <param name="number">The slot's number; one higher than all that had been read, unless the chain had ended.</param>
    /// <param name="after">How many slots were known when the document was made, where it depends on them: if there are more by
    /// now, nothing is published, and the first of these is the answer. Null: it does not matter.</param>
    public SlotDocument PublishNext(SlotDocument document, out int number, int? after = null)
    {
        lock (_gate)
        {
            if (HasEnded)
            {
                number = _slots.Count;
                return _slots[^1];
            }

            number = (after ?? _slots.Count) + 1;
            if (number <= _slots.Count)
            {
                return _slots[number - 1];
            }
        }

        SlotDocument published = share.Publish(folder, Number(number), document, CoordinationJson.Default.SlotDocument);
        Add(number, published);
        return published;
    }

    private bool HasEnded => _slots.Count > 0 && IsTerminal(_slots[^1]);

    private bool IsTerminal(SlotDocument slot)
        => !isEndless
        && (slot.Kind is SlotKind.Done or SlotKind.Planned or SlotKind.Failed or SlotKind.Completed or SlotKind.Removed
            || (endsWithTakeover && slot.Kind is SlotKind.TakenOver));

    private void Add(int number, SlotDocument slot)
    {
        lock (_gate)
        {
            if (_slots.Count == number - 1 && !HasEnded)
            {
                LastReadAt = share.Runtime.Time.GetTimestamp();
                _slots.Add(slot);
            }
        }
    }

    private static string Number(int number) => number.ToString(CultureInfo.InvariantCulture);
}
