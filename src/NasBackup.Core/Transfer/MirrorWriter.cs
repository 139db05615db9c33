using NasBackup.Coordination;
using NasBackup.Files;
using NasBackup.Formats;
using NasBackup.Planning;

namespace NasBackup.Transfer;

/// <summary>One entry on its way to the device.</summary>
/// <param name="Assignment">The assignment it belongs to.</param>
/// <param name="IsFirst">Whether this owner creates final names; a later one writes beside the tree.</param>
/// <param name="Ordinal">Its line in the list, from 0.</param>
/// <param name="Item">The line.</param>
internal readonly record struct WorkItem(string Assignment, bool IsFirst, long Ordinal, ListItem Item)
{
    /// <summary>Whether the owner's segments go into the file that the owners of its other segments write to as well.</summary>
    public bool SharesFiles { get; init; }
}

/// <summary>
/// Writes entries in the Mirror layout. A first owner creates the final name exclusively and touches data and metadata
/// through that descriptor alone; it never renames, removes or opens a name that exists. A later owner does the same beside
/// the tree, and finalising moves what counts into place. So a node that was held for dead and wakes up finds every name
/// taken, and can spoil nothing (promise 4). May be called from many threads.
/// </summary>
internal sealed class MirrorWriter(
    SourceSet sources,
    SetFolder set,
    IReadOnlyList<FilePath> dataBases,
    string? baseId,
    Availability availability,
    RateLimiter limiter,
    ITransferControl control,
    TimeProvider time) : IEntryWriter
{
    private readonly NewNames _names = new(set, control);
    private readonly bool _syncEach = !set.Tree.SyncsAsOne;
    private readonly ContentCopier _copier = new(limiter, control);
    private readonly BaseCopier? _base = baseId is null ? null : new BaseCopier(set, baseId, dataBases, new ContentCopier(limiter, control));
    private readonly Recency _recency = new(time);
    private readonly BaseCheck _check = new(sources, new Recency(time), limiter, control);
    private SegmentWriter? _segments;

    private SegmentWriter Segments => _segments ??= new SegmentWriter(sources, set, _names, _copier, _recency, control);

    /// <inheritdoc/>
    public IEntryHand NewHand() => new DirectHand(Write);

    /// <summary>Files are synced one by one before they are told of, where that is needed.</summary>
    public void MakeDurable()
    {
    }

    /// <summary>Copies an entry; what comes out is what the journal will say of it, a failure of the entry included.</summary>
    /// <exception cref="NodeStoppedException">The device can take no more.</exception>
    /// <exception cref="OperationCanceledException">The node leaves, or has lost the assignment.</exception>
    public JournalEntry Write(in WorkItem work)
    {
        Entry entry = work.Item.Entry;
        using var copy = new EntryCopy(work, PathOf(work));
        while (true)
        {
            try
            {
                control.ThrowIfNotMine();
                if (availability.IsGivenUp(entry.Source))
                {
                    return GivenUp(work);
                }

                IFileTree device = set.Tree;
                JournalEntry written = entry.Kind switch
                {
                    // A second try takes nothing for granted.
                    EntryKind.File when _base is not null && work.Item is { Base: { } known, Attempt: 1 } => WriteKnown(copy, _base, known),
                    EntryKind.File when work.Item.Segment is { IsWhole: false } segment => Segments.Write(copy, segment),
                    EntryKind.File => WriteFile(copy),
                    EntryKind.Directory => WriteDirectory(copy),
                    _ => WriteSpecial(copy),
                };
                return device == set.Tree ? written : Replaced(work);
            }
            catch (FileSystemException e) when (copy.AtDevice && e.IsDeviceWide)
            {
                throw new NodeStoppedException(
                    e.Problem is FileProblem.NoSpace ? ErrorIds.DeviceFull : ErrorIds.DeviceReadOnly,
                    $"{e.Message}. Make room on '{set.DevicePath}' (or make it writable), then resume with Start-NasNodeBackup.",
                    e);
            }
            catch (FileSystemException e)
            {
                bool wasAway = e.MayBeUnmounted && (copy.AtDevice ? availability.DeviceWasAway() : availability.WasAway(entry.Source));
                // What was written before the device went away may be lost with it, and its name is taken: that is for another try.
                if (!copy.AtDevice && availability.IsGivenUp(entry.Source))
                {
                    return GivenUp(work);
                }

                if (!wasAway || copy.AtDevice)
                {
                    JournalEntry failed = Failed(work, e, copy.AtDevice);
                    return wasAway ? failed with { ErrorId = ErrorIds.DeviceWentAway } : failed;
                }
            }
        }
    }

    private JournalEntry WriteFile(EntryCopy copy)
    {
        Entry entry = copy.Entry;
        copy.AtDevice = false;
        using SourceFile source = SourceFile.Open(sources.Tree(entry.Source), entry);
        ExtendedAttributes attributes = source.Handle.GetAttributes();
        copy.AtDevice = true;
        copy.Target ??= ReferenceEquals(attributes, ExtendedAttributes.None)
            ? _names.Create(copy.Path, (set.Tree, source), static (path, from) => from.Tree.CreateNew(path, from.source.Before.Metadata))
            : _names.Create(copy.Path, set.Tree, static (path, device) => device.CreateNew(path));
        FileContent content = _copier.Copy(copy, source, attributes);

        copy.AtDevice = true;
        MetadataLoss lost = Finish(copy, content.Status.Metadata, content.Attributes);
        return new JournalEntry
        {
            Ordinal = copy.Work.Ordinal,
            Size = content.Status.Size,
            Hash = content.Sum.Current,
            Status = content.Status == entry.Status ? null : content.Status,
            Attributes = content.Attributes,
            Changed = content.Changed,
            Recent = _recency.IsRecent(content.Status, entry.Status, sources.Tree(entry.Source)),
            Lost = lost,
        };
    }

    /// <summary>Takes a file from the base, or reads it after all.</summary>
    private JournalEntry WriteKnown(EntryCopy copy, BaseCopier from, BaseCopy known)
    {
        bool recent = false;
        copy.AtDevice = false;
        if (known.Use is BaseUse.Check && !_check.IsStillTheSame(copy.Entry, known, out recent))
        {
            return WriteFile(copy);
        }

        copy.AtDevice = true;
        try
        {
            if (known.Use is not BaseUse.Copy && _names.Create(copy.Path, (from, copy), static (path, known) => known.from.TryLink(known.copy, path)))
            {
                AddOtherNames(copy);
                return new JournalEntry { Ordinal = copy.Work.Ordinal, Size = copy.Entry.Size, FromBase = true, Recent = recent };
            }
        }
        catch (FileSystemException e) when (e.Problem is FileProblem.NotFound)
        {
            // The base has lost it.
            return WriteFile(copy);
        }

        return TryCopyFromBase(copy, from, known) ?? WriteFile(copy);
    }

    private JournalEntry? TryCopyFromBase(EntryCopy copy, BaseCopier from, BaseCopy known)
    {
        Entry entry = copy.Entry;
        ExtendedAttributes? attributes = known.Attributes;
        if (known.Use is BaseUse.Copy)
        {
            copy.AtDevice = false;
            using IFileHandle source = sources.Tree(entry.Source).OpenRead(entry.Path);
            ExtendedAttributes found = source.GetAttributes();
            attributes = ReferenceEquals(found, ExtendedAttributes.None) ? null : found;
        }

        copy.AtDevice = true;
        copy.Target ??= _names.Create(copy.Path, set.Tree, static (path, device) => device.CreateNew(path));
        if (!from.TryCopyContent(copy, known))
        {
            return null;
        }

        copy.AtDevice = true;
        MetadataLoss lost = Finish(copy, entry.Status.Metadata, attributes);
        return new JournalEntry
        {
            Ordinal = copy.Work.Ordinal,
            Size = entry.Size,
            Hash = known.Hash,
            Segments = known.Segments,
            Attributes = attributes,
            FromBase = true,
            Lost = lost,
        };
    }

    /// <summary>Metadata, durability, the close that tells of late errors, the other names.</summary>
    private MetadataLoss Finish(EntryCopy copy, in FileMetadata metadata, ExtendedAttributes? attributes)
    {
        MetadataLoss lost = copy.Target!.SetMetadata(metadata, attributes);
        if (_syncEach && control.IsStrict)
        {
            copy.Target.Sync();
        }

        copy.Target.Close();
        AddOtherNames(copy);
        return lost;
    }

    private JournalEntry WriteDirectory(EntryCopy copy)
    {
        ExtendedAttributes? attributes = ReadAttributes(copy);
        // Its owner, attributes, mode and times come last, when nothing is written below it any more.
        copy.AtDevice = true;
        _names.MakeFolder(dataBases[copy.Entry.Source].Combine(copy.Entry.Path));
        return new JournalEntry { Ordinal = copy.Work.Ordinal, Attributes = attributes };
    }

    /// <summary>Links, FIFOs and device nodes have no descriptor to go through; what is set by name is what the list says, the same from whichever node.</summary>
    private JournalEntry WriteSpecial(EntryCopy copy)
    {
        Entry entry = copy.Entry;
        byte[]? target = null;
        if (entry.Kind is EntryKind.SymbolicLink)
        {
            copy.AtDevice = false;
            target = sources.Tree(entry.Source).ReadLink(entry.Path);
        }

        var result = new JournalEntry
        {
            Ordinal = copy.Work.Ordinal,
            Hash = target is null ? null : Hash128.Of(target),
            Attributes = ReadAttributes(copy),
        };
        copy.AtDevice = true;
        if (!TryCreateSpecial(copy, target))
        {
            return result with { Lost = MetadataLoss.Node, LinkTarget = target };
        }

        MetadataLoss lost = set.Tree.SetMetadata(copy.Path, entry.Status.Metadata, entry.Kind, result.Attributes);
        AddOtherNames(copy);
        return result with { Lost = lost };
    }

    /// <summary>False where this process may not make such a thing, or the device has none.</summary>
    private bool TryCreateSpecial(EntryCopy copy, byte[]? target)
    {
        try
        {
            return _names.Create(copy.Path, (set.Tree, copy.Entry, target), static (path, made) =>
            {
                if (made.target is not null)
                {
                    made.Tree.CreateSymbolicLink(path, made.target);
                }
                else
                {
                    made.Tree.CreateSpecial(path, made.Entry.Kind, made.Entry.Status.DeviceNumber);
                }

                return true;
            });
        }
        catch (FileSystemException e) when (e.Problem is FileProblem.AccessDenied or FileProblem.NotSupported)
        {
            return false;
        }
    }

    /// <summary>The attributes of a folder, link or special file, or null where there are none.</summary>
    private ExtendedAttributes? ReadAttributes(EntryCopy copy)
    {
        copy.AtDevice = false;
        ExtendedAttributes found = sources.Tree(copy.Entry.Source).GetAttributes(copy.Entry.Path);
        return ReferenceEquals(found, ExtendedAttributes.None) ? null : found;
    }

    private void AddOtherNames(EntryCopy copy)
    {
        if (!copy.Work.IsFirst || copy.Entry.OtherNames is not { } names)
        {
            return;
        }

        foreach (FilePath name in names)
        {
            _names.Create(dataBases[copy.Entry.Source].Combine(name), (set.Tree, copy.Path), static (other, made) =>
            {
                made.Tree.Link(made.Path, other);
                return true;
            });
        }
    }

    /// <summary>Where this owner puts an entry.</summary>
    private FilePath PathOf(in WorkItem work) => work.Item switch
    {
        { Segment: { IsWhole: false } segment } => SetPaths.Segments(work.SharesFiles ? null : work.Assignment, segment.File),
        { Entry: var entry } when work.IsFirst => dataBases[entry.Source].Combine(entry.Path),
        _ => SetPaths.Take(work.Assignment, work.Ordinal),
    };

    /// <summary>The device was mounted anew while the entry was written: what came of it nobody knows.</summary>
    private JournalEntry Replaced(in WorkItem work) => new()
    {
        Ordinal = work.Ordinal,
        ErrorId = ErrorIds.DeviceWentAway,
        Problem = $"the device '{set.DevicePath}' went away while the copy was written",
    };

    private JournalEntry GivenUp(in WorkItem work)
    {
        (string errorId, string problem) = availability.WhyGivenUp(work.Item.Entry.Source);
        return new JournalEntry { Ordinal = work.Ordinal, ErrorId = errorId, Problem = problem };
    }

    private static JournalEntry Failed(in WorkItem work, FileSystemException e, bool atDevice)
    {
        string errorId = (atDevice, e.Problem) switch
        {
            (false, FileProblem.NotFound) => ErrorIds.FileVanished,
            (false, _) => ErrorIds.FileUnreadable,
            _ => ErrorIds.FileNotWritten,
        };
        return new JournalEntry { Ordinal = work.Ordinal, ErrorId = errorId, Problem = e.Message };
    }
}

/// <summary>What a writer asks and tells the node while it works.</summary>
internal interface ITransferControl
{
    /// <summary>Whether what a checkpoint counts must be on storage.</summary>
    bool IsStrict { get; }

    /// <summary>Throws where the node leaves or has lost the assignment; waits while it may not write (promise 5).</summary>
    void ThrowIfNotMine();

    /// <summary>Bytes were moved; waits as long as the rate limit wants.</summary>
    void Moved(int bytes, TimeSpan pause);

    /// <summary>A hole was passed over: progress, though nothing was moved. Throws where the node has to stop.</summary>
    void Passed();

    /// <summary>A name was made in this folder of the set; it is to be made durable with the next checkpoint.</summary>
    void NoteFolder(FilePath folder);
}
