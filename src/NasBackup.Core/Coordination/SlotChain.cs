using System.Globalization;
using NasBackup.Files;

namespace NasBackup.Coordination;

/// <summary>
/// A chain of numbered slots in one folder (1, 2, …), each decided once and for ever. Whoever publishes slot n has read all
/// before it.
/// </summary>
internal sealed class SlotChain(Share share, FilePath folder, string name)
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

    /// <summary>Reads on where the last reading ended; true where something new was there.</summary>
    public bool Refresh()
    {
        bool any = false;
        while (true)
        {
            int next;
            lock (_gate)
            {
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

    /// <summary>Publishes into the next slot and tells what stands there; it is one's own if it has one's token.</summary>
    /// <param name="document">What to publish.</param>
    /// <param name="number">The slot's number; it is one higher than all that have been read.</param>
    public SlotDocument PublishNext(SlotDocument document, out int number)
    {
        lock (_gate)
        {
            number = _slots.Count + 1;
        }

        SlotDocument published = share.Publish(folder, Number(number), document, CoordinationJson.Default.SlotDocument);
        Add(number, published);
        return published;
    }

    private void Add(int number, SlotDocument slot)
    {
        lock (_gate)
        {
            if (_slots.Count == number - 1)
            {
                _slots.Add(slot);
            }
        }
    }

    private static string Number(int number) => number.ToString(CultureInfo.InvariantCulture);
}
