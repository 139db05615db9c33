using System.Buffers;
using System.Collections.Concurrent;
using System.IO.Hashing;
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
internal readonly record struct WorkItem(string Assignment, bool IsFirst, long Ordinal, ListItem Item);

/// <summary>
/// Writes entries in the Mirror layout. A first owner creates the final name exclusively and touches data and metadata
/// through that descriptor alone; it never renames, removes or opens a name that exists. A later owner does the same beside
/// the tree, and finalising moves what counts into place. So a node that was held for dead and wakes up finds every name
/// taken, and can spoil nothing (promise 4). May be called from many threads.
/// </summary>
internal sealed class MirrorWriter(
    SourceSet sources, SetFolder set, IReadOnlyList<FilePath> dataBases, Availability availability, RateLimiter limiter, ITransferControl control)
{
    private const int MaxReads = 3;
    private const int BufferBytes = 1024 * 1024;

    private readonly ConcurrentDictionary<FilePath, bool> _folders = new();
    private readonly bool _syncEach = !set.Tree.SyncsAsOne;

    /// <summary>Copies an entry; what comes out is what the journal will say of it, a failure of the entry included.</summary>
    /// <exception cref="NodeStoppedException">The device can take no more.</exception>
    /// <exception cref="OperationCanceledException">The node leaves, or has lost the assignment.</exception>
    public JournalEntry Write(in WorkItem work)
    {
        Entry entry = work.Item.Entry;
        var copy = new Copy(work, work.IsFirst ? dataBases[entry.Source].Combine(entry.Path) : SetPaths.Take(work.Assignment, work.Ordinal));
        try
        {
            while (true)
            {
                try
                {
                    control.ThrowIfNotMine();
                    if (availability.IsGivenUp(entry.Source))
                    {
                        return GivenUp(work);
                    }

                    return entry.Kind switch
                    {
                        EntryKind.File => WriteFile(copy),
                        EntryKind.Directory => WriteDirectory(copy),
                        _ => WriteSpecial(copy),
                    };
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
                        return Failed(work, e, copy.AtDevice);
                    }
                }
            }
        }
        finally
        {
            copy.Target?.Dispose();
        }
    }

    private JournalEntry WriteFile(Copy copy)
    {
        Entry entry = copy.Entry;
        copy.AtDevice = false;
        using IFileHandle source = sources.Tree(entry.Source).OpenRead(entry.Path);
        FileStatus before = source.GetStatus();

        copy.AtDevice = true;
        copy.Target ??= Create(copy.Path, path => set.Tree.CreateNew(path));
        bool changed = false;
        Hash128 hash = default;
        long size = 0;
        for (int read = 1; read <= MaxReads; read++)
        {
            if (size > 0 || copy.Written)
            {
                copy.AtDevice = true;
                copy.Target.SetLength(0);
            }

            (hash, size) = Transfer(copy, source, before.Size);
            copy.AtDevice = false;
            FileStatus after = source.GetStatus();
            changed = size != after.Size || after.Metadata.ModifiedTime != before.Metadata.ModifiedTime || after.ChangeTime != before.ChangeTime;
            before = after;
            if (!changed)
            {
                break;
            }
        }

        copy.AtDevice = true;
        MetadataLoss lost = copy.Target.SetMetadata(before.Metadata);
        if (_syncEach && control.IsStrict)
        {
            copy.Target.Sync();
        }

        copy.Target.Close();
        AddOtherNames(copy);
        FileStatus copied = before with { Size = size };
        return new JournalEntry
        {
            Ordinal = copy.Work.Ordinal,
            Size = size,
            Hash = hash,
            Status = copied == entry.Status ? null : copied,
            Changed = changed,
            Lost = lost,
        };
    }

    private (Hash128 Hash, long Size) Transfer(Copy copy, IFileHandle source, long expected)
    {
        var hash = new XxHash128();
        int chunk = (int)Math.Clamp(expected, 1, Math.Min(BufferBytes, limiter.ChunkBytes));
        byte[] buffer = ArrayPool<byte>.Shared.Rent(chunk);
        try
        {
            long size = 0;
            // A file of the expected length needs no read to find its end: the status afterwards tells whether it grew.
            while (size < expected)
            {
                copy.AtDevice = false;
                int read = source.ReadAt(buffer.AsSpan(0, (int)Math.Min(chunk, expected - size)), size);
                if (read == 0)
                {
                    break;
                }

                ReadOnlySpan<byte> bytes = buffer.AsSpan(0, read);
                hash.Append(bytes);
                copy.AtDevice = true;
                copy.Written = true;
                copy.Target!.WriteAt(bytes, size);
                size += read;
                control.Moved(read, limiter.Pay(read));
            }

            return (Hash128.Of(hash), size);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private JournalEntry WriteDirectory(Copy copy)
    {
        // Its owner, mode and times come last, when nothing is written below it any more.
        copy.AtDevice = true;
        MakeFolder(dataBases[copy.Entry.Source].Combine(copy.Entry.Path));
        return new JournalEntry { Ordinal = copy.Work.Ordinal };
    }

    /// <summary>Links, FIFOs and device nodes have no descriptor to go through; what is set by name is what the list says, the same from whichever node.</summary>
    private JournalEntry WriteSpecial(Copy copy)
    {
        Entry entry = copy.Entry;
        Hash128? hash = null;
        if (entry.Kind is EntryKind.SymbolicLink)
        {
            copy.AtDevice = false;
            byte[] target = sources.Tree(entry.Source).ReadLink(entry.Path);
            hash = Hash128.Of(target);
            copy.AtDevice = true;
            Create(copy.Path, path =>
            {
                set.Tree.CreateSymbolicLink(path, target);
                return true;
            });
        }
        else
        {
            copy.AtDevice = true;
            Create(copy.Path, path =>
            {
                set.Tree.CreateSpecial(path, entry.Kind, entry.Status.DeviceNumber);
                return true;
            });
        }

        MetadataLoss lost = set.Tree.SetMetadata(copy.Path, entry.Status.Metadata, entry.Kind);
        AddOtherNames(copy);
        return new JournalEntry { Ordinal = copy.Work.Ordinal, Hash = hash, Lost = lost };
    }

    private void AddOtherNames(Copy copy)
    {
        if (!copy.Work.IsFirst || copy.Entry.OtherNames is not { } names)
        {
            return;
        }

        foreach (FilePath name in names)
        {
            Create(dataBases[copy.Entry.Source].Combine(name), path =>
            {
                set.Tree.Link(copy.Path, path);
                return true;
            });
        }
    }

    /// <summary>Creates something exclusively; where its folder is missing, that first. Most folders are there, so asking before costs more.</summary>
    private T Create<T>(FilePath path, Func<FilePath, T> create)
    {
        T created;
        try
        {
            created = create(path);
        }
        catch (FileSystemException e) when (e.Problem is FileProblem.NotFound)
        {
            MakeFolder(path.Parent);
            created = create(path);
        }

        // After the name is there and before the entry counts: so the next checkpoint syncs a folder that holds it.
        control.NoteFolder(path.Parent);
        return created;
    }

    private void MakeFolder(FilePath folder)
    {
        if (folder.IsRoot || _folders.ContainsKey(folder))
        {
            return;
        }

        MakeFolder(folder.Parent);
        set.Tree.CreateDirectory(folder);
        control.NoteFolder(folder.Parent);
        _folders.TryAdd(folder, true);
    }

    private JournalEntry GivenUp(in WorkItem work) => new()
    {
        Ordinal = work.Ordinal,
        ErrorId = ErrorIds.FailoverTimedOut,
        Problem = $"the source '{sources.OwnPath(work.Item.Entry.Source)}' did not come back within the failover timeout",
    };

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

    /// <summary>What a try leaves behind for the next one: the descriptor, since the name can be created only once.</summary>
    private sealed class Copy(WorkItem work, FilePath path)
    {
        public WorkItem Work => work;

        public Entry Entry => work.Item.Entry;

        public FilePath Path => path;

        public IFileHandle? Target { get; set; }

        public bool Written { get; set; }

        /// <summary>Whether what is being done right now is done to the device, or to the source.</summary>
        public bool AtDevice { get; set; }
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

    /// <summary>A name was made in this folder of the set; it is to be made durable with the next checkpoint.</summary>
    void NoteFolder(FilePath folder);
}
