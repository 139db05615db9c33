using NasBackup.Coordination;
using NasBackup.Files;
using NasBackup.Formats;

namespace NasBackup.Sets;

/// <summary>
/// What the frozen journal of one assignment says of each line of its list. A journal is in the order in which workers
/// finished, so it must be held while the list passes; held small, since a list may have ten million lines.
/// </summary>
internal sealed class FrozenEntries
{
    private readonly Slim[] _plain;

    // What was not as the list said, or failed, is rare.
    private readonly Dictionary<long, JournalEntry> _special = [];

    private FrozenEntries(long entries) => _plain = new Slim[entries];

    /// <summary>Reads what was frozen, whole.</summary>
    /// <exception cref="BackupException">RecordDamaged: the journal does not hold what was frozen, or not of this list.</exception>
    /// <exception cref="FileSystemException">The share cannot be read.</exception>
    public static FrozenEntries Read(PlanFolder folder, AssignmentView assignment, FrozenJournal frozen)
    {
        var entries = new FrozenEntries(assignment.Document.Entries);
        FilePath journal = folder.Journal(assignment.Id);
        JournalReader.ReadFrozen(folder.Share.Tree, journal, frozen, entry =>
        {
            if (entry.Ordinal >= entries._plain.Length)
            {
                throw new BackupException(
                    ErrorIds.RecordDamaged,
                    ErrorKind.InvalidData,
                    $"The journal '{folder.Share.Path}/{journal}' is damaged: it speaks of line {entry.Ordinal} of a list that has {entries._plain.Length}.",
                    journal.ToString());
            }

            entries.Add(entry);
        });
        return entries;
    }

    /// <summary>What became of a line; false where the journal says nothing of it.</summary>
    public bool TryGet(long ordinal, out JournalEntry entry)
    {
        entry = default;
        if (ordinal >= _plain.Length)
        {
            return false;
        }

        ref readonly Slim slim = ref _plain[ordinal];
        if (!slim.Flags.HasFlag(Flags.Known))
        {
            return false;
        }

        entry = slim.Flags.HasFlag(Flags.Special) ? _special[ordinal] : new JournalEntry
        {
            Ordinal = ordinal,
            Size = slim.Size,
            Hash = slim.Flags.HasFlag(Flags.Hashed) ? slim.Hash : null,
            Changed = slim.Flags.HasFlag(Flags.Changed),
            Lost = slim.Lost,
        };
        return true;
    }

    private void Add(in JournalEntry entry)
    {
        bool isSpecial = entry.IsFailed || entry.Status is not null || entry.Attributes is not null || entry.LinkTarget is not null;
        if (isSpecial)
        {
            _special[entry.Ordinal] = entry;
        }

        _plain[entry.Ordinal] = new Slim
        {
            Hash = entry.Hash.GetValueOrDefault(),
            Size = entry.Size,
            Lost = entry.Lost,
            Flags = Flags.Known
                | (isSpecial ? Flags.Special : Flags.None)
                | (entry.Hash is null ? Flags.None : Flags.Hashed)
                | (entry.Changed ? Flags.Changed : Flags.None),
        };
    }

    [Flags]
    private enum Flags : byte
    {
        None = 0,
        Known = 1,
        Special = 2,
        Hashed = 4,
        Changed = 8,
    }

    private struct Slim
    {
        public Hash128 Hash;
        public long Size;
        public MetadataLoss Lost;
        public Flags Flags;
    }
}
