using NasBackup.Coordination;
using NasBackup.Files;
using NasBackup.Transfer;

namespace NasBackup.Sets;

/// <summary>The Mirror layout: copies of later owners go to their final names, folders get their metadata last.</summary>
internal sealed class TreePlacement(IFileTree set, Share device, bool isStrict, IReadOnlyList<FilePath> dataBases) : ISetPlacement
{
    private readonly Placement _placement = new(set, device, isStrict);

    /// <inheritdoc/>
    public IReadOnlyList<VolumeDocument>? Volumes => null;

    /// <inheritdoc/>
    public ManifestEntry Place(AssignmentView assignment, long ordinal, in ManifestEntry entry)
    {
        // A first owner's copy is where it belongs: so it is with nearly all entries of a set.
        bool isPlaced = assignment.IsFirst && entry is { IsFailed: false, Entry.Kind: not EntryKind.Directory };
        return isPlaced ? entry : Move(assignment, ordinal, entry);
    }

    /// <inheritdoc/>
    public ManifestEntry Place(SplitFile file, Action step)
    {
        FilePath dataBase = dataBases[file.Entry.Source];
        return Try(file.ToManifest(), entry =>
        {
            if (entry.IsFailed)
            {
                return entry;
            }

            if (file.Whole is not { } whole)
            {
                return entry with { Lost = new SegmentJoiner(set, device, _placement, isStrict, step).Place(file, dataBase, entry) };
            }

            _placement.Move(whole.Place, dataBase, entry.Entry);
            return entry;
        });
    }

    /// <inheritdoc/>
    public bool IsSettled() => true;

    /// <inheritdoc/>
    public void Finish(Action<MetadataLoss> done, CancellationToken cancellation)
    {
        _placement.SetFolderMetadata(done, cancellation);
        _placement.Sync();
    }

    /// <summary>Puts a later owner's copy into place, removes what has failed, and notes a folder's metadata for the end.</summary>
    private ManifestEntry Move(AssignmentView assignment, long ordinal, in ManifestEntry entry)
    {
        Entry placed = entry.Entry;
        bool isFolder = placed.Kind is EntryKind.Directory;
        FilePath dataBase = dataBases[placed.Source];
        FilePath final = dataBase.Combine(placed.Path);
        ManifestEntry result = Try(entry, entry =>
        {
            if (entry.IsFailed)
            {
                _placement.Remove(dataBase, placed);
            }
            else if (!assignment.IsFirst && isFolder)
            {
                _placement.MakeFolder(final);
            }
            else if (!assignment.IsFirst && !entry.Lost.HasFlag(MetadataLoss.Node))
            {
                _placement.Move(SetPaths.Take(assignment.Id, ordinal), dataBase, placed);
            }

            return entry;
        });
        if (isFolder && !result.IsFailed)
        {
            _placement.AddFolder(final, placed.Status.Metadata, result.Attributes);
        }

        return result;
    }

    private ManifestEntry Try(in ManifestEntry entry, Func<ManifestEntry, ManifestEntry> place)
    {
        try
        {
            return place(entry);
        }
        catch (FileSystemException e) when (PlacementObstacle.Find(set, dataBases[entry.Entry.Source], entry.Entry) is { } obstacle)
        {
            // Waiting would not take it away, and the entries beside it have nothing to do with it.
            return ManifestEntry.Failed(entry, ErrorIds.FileNotWritten, $"{obstacle} ({e.Message})");
        }
    }
}
