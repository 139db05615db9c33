using NasBackup.Coordination;
using NasBackup.Files;
using NasBackup.Transfer;

namespace NasBackup.Sets;

/// <summary>
/// Brings the set's tree into the state that the frozen journals decided: moves what later owners committed into place,
/// and sets the folders' metadata last. A committed copy exists once, so of several that do this at the same time each move
/// succeeds for one, and one that comes late finds nothing to move (promise 4).
/// </summary>
internal sealed class Placement(IFileTree set, Share device, bool isStrict)
{
    private const int LinkAttempts = 4;

    private readonly List<(FilePath Path, FileMetadata Metadata, ExtendedAttributes? Attributes)> _folders = [];
    private readonly HashSet<FilePath> _touched = [];
    private readonly bool _syncsEach = isStrict && !set.SyncsAsOne;

    /// <summary>Moves the copy that a later owner made to its final names, or finds that this has been done.</summary>
    /// <param name="take">Where the later owner put it.</param>
    /// <param name="dataBase">What the entry's paths are appended to.</param>
    /// <param name="entry">The entry with the status of what was copied.</param>
    /// <exception cref="BackupException">RecordDamaged: it is in neither place.</exception>
    /// <exception cref="FileSystemException">The device does not do it.</exception>
    public void Move(FilePath take, FilePath dataBase, Entry entry)
    {
        FilePath final = dataBase.Combine(entry.Path);
        bool isSealed = false;
        FileStatus? placed = TryRename(take, final) ? null : FindPlaced(take, final, entry, out isSealed);
        if (!isSealed)
        {
            AddNames(dataBase, entry, placed);
        }
    }

    /// <summary>Gives a file that this finaliser alone has made, and that is whole, its final names. No owner makes the first of
    /// them: it is another finaliser's where it is there, and stays.</summary>
    /// <param name="draft">The file; stays.</param>
    /// <param name="dataBase">What the entry's paths are appended to.</param>
    /// <param name="entry">The entry.</param>
    /// <exception cref="BackupException">RecordDamaged: something else stands there.</exception>
    /// <exception cref="FileSystemException">The device does not do it.</exception>
    public void Put(FilePath draft, FilePath dataBase, Entry entry)
    {
        FilePath final = dataBase.Combine(entry.Path);
        for (int attempt = 1; ; attempt++)
        {
            try
            {
                set.Link(draft, final);
                break;
            }
            catch (FileSystemException e) when (attempt < LinkAttempts && e.Problem is FileProblem.NotFound)
            {
                device.MakeFolder(final.Parent);
            }
            catch (FileSystemException e) when (e.Problem is FileProblem.AlreadyExists or FileProblem.AccessDenied && IsPlaced(final, entry))
            {
                break;
            }
            catch (FileSystemException e) when (e.Problem is FileProblem.AlreadyExists && TryGetStatus(final) is { Kind: not EntryKind.Directory })
            {
                throw new BackupException(
                    ErrorIds.RecordDamaged,
                    ErrorKind.DeviceError,
                    $"Something else stands at '{set.RootPath}/{final}', in the place of a file that was copied in segments. Take it away, then resume with Start-NasNodeBackup.",
                    final.ToString(),
                    e);
            }
        }

        Touch(final.Parent);
        AddNames(dataBase, entry);
    }

    /// <summary>Whether a file that nobody but finalisers puts in its place is there.</summary>
    public bool IsPlaced(FilePath final, Entry entry)
    {
        try
        {
            return TryGetStatus(final) is { Kind: EntryKind.File } status && status.Size == entry.Size;
        }
        catch (FileSystemException e) when (e.Problem is FileProblem.AccessDenied)
        {
            // A folder above has its own mode already, so all below it has been done.
            return true;
        }
    }

    /// <summary>Makes the hard links of an entry that is in its place.</summary>
    public void AddNames(FilePath dataBase, Entry entry) => AddNames(dataBase, entry, placed: null);

    private void AddNames(FilePath dataBase, Entry entry, FileStatus? placed)
    {
        if (entry.OtherNames is not { } names)
        {
            return;
        }

        FilePath final = dataBase.Combine(entry.Path);
        FileStatus target = placed ?? set.GetStatus(final);
        foreach (FilePath name in names)
        {
            try
            {
                EnsureLink(final, target, dataBase.Combine(name));
            }
            catch (FileSystemException e) when (placed is not null && e.Problem is FileProblem.AccessDenied)
            {
                // Another finaliser has moved it and closed the name's folder; that one linked before it closed.
            }
        }
    }

    /// <summary>Makes a folder that was committed by a later owner, where it is missing.</summary>
    public void MakeFolder(FilePath folder)
    {
        try
        {
            if (set.CreateDirectory(folder))
            {
                Touch(folder.Parent);
            }
        }
        catch (FileSystemException e) when (e.Problem is FileProblem.NotFound)
        {
            device.MakeFolder(folder);
        }
        catch (FileSystemException e) when (e.Problem is FileProblem.AccessDenied)
        {
            // A folder above has its own mode already: its owner made this one when it committed it.
        }
    }

    /// <summary>Removes what a first owner may have left of an entry that failed for good: half a file looks like a whole one.</summary>
    public void Remove(FilePath dataBase, Entry entry)
    {
        if (entry.Kind is EntryKind.Directory)
        {
            return;
        }

        foreach (FilePath name in (IEnumerable<FilePath>)[entry.Path, .. entry.OtherNames ?? []])
        {
            FilePath path = dataBase.Combine(name);
            try
            {
                if (set.Delete(path))
                {
                    Touch(path.Parent);
                }
            }
            catch (FileSystemException e) when (e.Problem is FileProblem.AccessDenied or FileProblem.IsADirectory or FileProblem.NotADirectory or FileProblem.LinkInPath)
            {
                // What is there is not half a copy of it, or cannot be touched any more; the manifest says that it is not in the set.
            }
        }
    }

    /// <summary>Takes note of a committed folder for <see cref="SetFolderMetadata"/>.</summary>
    public void AddFolder(FilePath folder, in FileMetadata metadata, ExtendedAttributes? attributes)
        => _folders.Add((folder, metadata, attributes));

    /// <summary>
    /// Sets owner, attributes, mode and times of the folders, deepest first: a mode may forbid what is still to be done below, and
    /// whatever is done in a folder changes its times. Folders that are right already are left alone.
    /// </summary>
    /// <param name="done">Called after each folder with what of it could not be kept.</param>
    /// <param name="cancellation">Ends it between two folders.</param>
    public void SetFolderMetadata(Action<MetadataLoss> done, CancellationToken cancellation)
    {
        SyncTouched();
        _folders.Sort(static (a, b) => b.Path.CompareTo(a.Path));
        foreach ((FilePath path, FileMetadata metadata, ExtendedAttributes? attributes) in _folders)
        {
            cancellation.ThrowIfCancellationRequested();
            done(SetMetadata(path, metadata, attributes));
        }
    }

    /// <summary>Makes all that was done durable.</summary>
    public void Sync()
    {
        if (isStrict && set.SyncsAsOne)
        {
            set.SyncAll();
        }
    }

    private MetadataLoss SetMetadata(FilePath path, in FileMetadata metadata, ExtendedAttributes? attributes)
    {
        try
        {
            if (TryGetStatus(path) is not { } status)
            {
                device.MakeFolder(path);
            }
            else if (status.Kind is not EntryKind.Directory)
            {
                throw new BackupException(
                    ErrorIds.RecordDamaged,
                    ErrorKind.DeviceError,
                    $"A committed folder is not at '{set.RootPath}/{path}' any more; something else stands there. Take it away and put the folder back, then resume with Start-NasNodeBackup.",
                    path.ToString());
            }
            else if (status.Metadata == metadata)
            {
                // The times are set last, so the attributes are right as well.
                return MetadataLoss.None;
            }

            MetadataLoss lost = set.SetMetadata(path, metadata, EntryKind.Directory, attributes);
            if (_syncsEach)
            {
                set.SyncDirectory(path);
            }

            return lost;
        }
        catch (FileSystemException e) when (e.Problem is FileProblem.AccessDenied)
        {
            // The folder, or one above it, has its own mode already, and that is not one for this user: somebody was here
            // before, who had done all that is below.
            return MetadataLoss.None;
        }
    }

    /// <summary>Whether this call moved it; false where there is nothing to move any more.</summary>
    private bool TryRename(FilePath take, FilePath final)
    {
        for (bool isSecond = false; ; isSecond = true)
        {
            try
            {
                NamedPoint.Reach("move", take);
                set.Rename(take, final);
                NamedPoint.Reach("moved", take);
                Touch(final.Parent);
                return true;
            }
            catch (FileSystemException e) when (e.Problem is FileProblem.NotFound)
            {
                if (isSecond || TryGetStatus(take) is null)
                {
                    return false;
                }

                // It is the folder that is missing. Most are there, so asking before would cost more.
                device.MakeFolder(final.Parent);
            }
            catch (FileSystemException e) when (e.Problem is FileProblem.AccessDenied && TryGetStatus(take) is null)
            {
                return false;
            }
        }
    }

    /// <summary>The status of what was moved before.</summary>
    /// <param name="take">Where it was.</param>
    /// <param name="final">Where it must be.</param>
    /// <param name="entry">What it must be.</param>
    /// <param name="isSealed">Whether it cannot be looked at, since the folders have got their own modes: then all of this
    /// has been done.</param>
    private FileStatus? FindPlaced(FilePath take, FilePath final, Entry entry, out bool isSealed)
    {
        isSealed = false;
        try
        {
            if (TryGetStatus(final) is { } status && status.Kind == entry.Kind && status.Size == entry.Size)
            {
                return status;
            }
        }
        catch (FileSystemException e) when (e.Problem is FileProblem.AccessDenied)
        {
            isSealed = true;
            return null;
        }

        throw new BackupException(
            ErrorIds.RecordDamaged,
            ErrorKind.DeviceError,
            $"A committed copy is neither at '{set.RootPath}/{final}' nor at '{set.RootPath}/{take}'; it may not be visible yet from this node, or the device has lost it.",
            final.ToString());
    }

    private void EnsureLink(FilePath final, in FileStatus target, FilePath name)
    {
        for (int attempt = 1; ; attempt++)
        {
            try
            {
                FileStatus? found = TryGetStatus(name);
                if (found is { } status && IsSame(status, target))
                {
                    return;
                }

                if (found is null)
                {
                    set.Link(final, name);
                }
                else
                {
                    ReplaceByLink(final, name);
                }

                Touch(name.Parent);
                return;
            }
            catch (FileSystemException e) when (attempt < LinkAttempts && e.Problem is FileProblem.NotFound)
            {
                device.MakeFolder(name.Parent);
            }
            catch (FileSystemException e) when (attempt < LinkAttempts && e.Problem is FileProblem.AlreadyExists)
            {
                // Another finaliser was faster, or it was this one and the reply was lost: look again.
            }
        }
    }

    /// <summary>The first owner had given this name to a copy of its own; that one does not count.</summary>
    private void ReplaceByLink(FilePath final, FilePath name)
    {
        FilePath draft = SetPaths.TakeRoot.Combine($"link.{device.Tokens.Next(8)}");
        device.MakeFolder(SetPaths.TakeRoot);
        set.Link(final, draft);
        set.Rename(draft, name);
        // A rename from one name of a file to another of the same file does nothing, and leaves both.
        set.Delete(draft);
    }

    private static bool IsSame(in FileStatus a, in FileStatus b) => a.Inode != 0 && a.Inode == b.Inode && a.FileSystem == b.FileSystem;

    private FileStatus? TryGetStatus(FilePath path)
    {
        try
        {
            return set.GetStatus(path);
        }
        catch (FileSystemException e) when (e.Problem is FileProblem.NotFound)
        {
            return null;
        }
    }

    private void Touch(FilePath folder)
    {
        if (_syncsEach)
        {
            _touched.Add(folder);
        }
    }

    private void SyncTouched()
    {
        foreach (FilePath folder in _touched)
        {
            set.SyncDirectory(folder);
        }

        _touched.Clear();
    }
}
