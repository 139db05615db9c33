using System.Buffers;
using NasBackup.Files;
using NasBackup.Formats;

namespace NasBackup.Sets;

/// <summary>
/// Makes what an entry is, under a draft's name in the target, with all of its metadata, and compares its content with the
/// manifest's hash on the way. What does not agree is discarded and never gets its name. May be called from many threads.
/// </summary>
internal sealed class RestoreContent(OpenSet set, RestoreDrafts drafts, Action<int> moved, CancellationToken cancellation)
{
    private const int BufferBytes = 1024 * 1024;

    /// <inheritdoc cref="EntryRestorer.SyncsEach"/>
    public bool SyncsEach { get; init; }

    /// <summary>Writes a draft.</summary>
    /// <returns>Where it is.</returns>
    /// <exception cref="BackupException">EntryDamaged, EntryMissing: the set does not have what its manifest says; DeviceNotFound.</exception>
    /// <exception cref="FileSystemException">The target does not do it.</exception>
    public FilePath Write(in ManifestEntry entry, IFileTree tree, FilePath final, out MetadataLoss lost)
    {
        FilePath draft = drafts.New(tree);
        try
        {
            return WriteDraft(entry, tree, draft, out lost);
        }
        catch (FileSystemException e) when (e.Problem is FileProblem.CrossesFileSystems)
        {
            draft = drafts.NewBeside(final);
            return WriteDraft(entry, tree, draft, out lost);
        }
    }

    /// <summary>Sets the metadata of a link or node, or of a folder that is through.</summary>
    /// <exception cref="FileSystemException">The target does not do it.</exception>
    public static MetadataLoss SetMetadata(in ManifestEntry entry, IFileTree tree, FilePath path)
        => tree.SetMetadata(path, entry.Entry.Status.Metadata, entry.Entry.Kind, entry.Attributes ?? ExtendedAttributes.None);

    /// <summary>Removes a draft; what stays only takes room.</summary>
    public static void Discard(IFileTree tree, FilePath draft)
    {
        try
        {
            tree.Delete(draft);
        }
        catch (FileSystemException)
        {
            // The next restore removes it.
        }
    }

    private FilePath WriteDraft(in ManifestEntry entry, IFileTree tree, FilePath draft, out MetadataLoss lost)
    {
        try
        {
            switch (entry.Entry.Kind)
            {
                case EntryKind.File:
                    lost = WriteFile(entry, tree, draft);
                    break;
                case EntryKind.SymbolicLink:
                    tree.CreateSymbolicLink(draft, ReadTarget(entry));
                    lost = SetMetadata(entry, tree, draft);
                    break;
                default:
                    tree.CreateSpecial(draft, entry.Entry.Kind, entry.Entry.Status.DeviceNumber);
                    lost = SetMetadata(entry, tree, draft);
                    break;
            }

            return draft;
        }
        catch
        {
            Discard(tree, draft);
            throw;
        }
    }

    private MetadataLoss WriteFile(in ManifestEntry entry, IFileTree tree, FilePath draft)
    {
        FilePath data = set.Content.Locate(entry, entry.Entry.Path);
        ManifestEntry stored = entry;
        using IFileHandle source = FromSet(data, () => set.Content.OpenRead(stored, stored.Entry.Path));
        using IFileHandle target = tree.CreateNew(draft);
        (ContentHash hash, long size) = Copy(source, target, data, entry.Segments);
        if ((size != entry.Entry.Size ? $"it has {size} bytes instead of {entry.Entry.Size}" : hash.WhyNot(entry.Hash)) is { } problem)
        {
            throw Damaged(data, problem);
        }

        MetadataLoss lost = target.SetMetadata(entry.Entry.Status.Metadata, entry.Attributes ?? ExtendedAttributes.None);
        if (SyncsEach || !tree.SyncsAsOne)
        {
            target.Sync();
        }

        target.Close();
        return lost;
    }

    /// <summary>Copies what is stored, and leaves holes where the copy in the set has them; the hash is that of all bytes.</summary>
    private (ContentHash Hash, long Size) Copy(IFileHandle source, IFileHandle target, FilePath data, IReadOnlyList<SegmentHash>? segments)
    {
        long start = 0;
        long end = 0;
        bool hasHoles = !FromSet(data, () => source.TryFindData(0, out start, out end)) || start > 0 || end < FromSet(data, source.GetStatus).Size;
        var hash = new ContentHash(hasHoles, segments);
        byte[] buffer = ArrayPool<byte>.Shared.Rent(BufferBytes);
        try
        {
            long size = FromSet(data, source.GetStatus).Size;
            long offset = 0;
            long written = 0;
            while (offset < size)
            {
                if (FromSet(data, () => source.TryFindData(offset, out start, out end)))
                {
                    end = Math.Min(end, size);
                }
                else
                {
                    start = size;
                    end = size;
                }

                start = Math.Min(start, size);
                Skip(hash, start - offset);
                offset = start;
                while (offset < end)
                {
                    cancellation.ThrowIfCancellationRequested();
                    int wanted = (int)Math.Min(BufferBytes, end - offset);
                    int read = FromSet(data, () => source.ReadAt(buffer.AsSpan(0, wanted), offset));
                    if (read == 0)
                    {
                        return (hash, offset);
                    }

                    hash.Append(buffer.AsSpan(0, read));
                    target.WriteAt(buffer.AsSpan(0, read), offset);
                    offset += read;
                    written = offset;
                    moved(read);
                }
            }

            if (written < size)
            {
                target.SetLength(size);
            }

            return (hash, size);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private void Skip(ContentHash hash, long zeros)
    {
        while (zeros > 0)
        {
            cancellation.ThrowIfCancellationRequested();
            long step = Math.Min(zeros, SparseHash.ZerosAtOnce);
            hash.AppendZeros(step);
            moved(0);
            zeros -= step;
        }
    }

    private byte[] ReadTarget(in ManifestEntry entry)
    {
        FilePath data = set.Content.Locate(entry, entry.Entry.Path);
        ManifestEntry stored = entry;
        byte[] target = entry.LinkTarget ?? FromSet(data, () => set.Content.ReadLink(stored, stored.Entry.Path));
        return entry.Hash is { } expected && Hash128.Of(target) != expected
            ? throw Damaged(data, $"what it points to has the hash {Hash128.Of(target)} instead of {expected}")
            : target;
    }

    /// <summary>Does something with the set, and tells its trouble from the target's.</summary>
    private T FromSet<T>(FilePath data, Func<T> action)
    {
        try
        {
            return action();
        }
        catch (FileSystemException e)
        {
            if (e.MayBeUnmounted && !set.IsStillThere())
            {
                throw new BackupException(
                    ErrorIds.DeviceNotFound, ErrorKind.NotFound, $"The device went away while '{set.Tree.RootPath}' was read: {e.Message}. Mount it and run the command again: it goes on where it stopped.", set.Tree.RootPath, e);
            }

            throw e.Problem is FileProblem.NotFound
                ? new BackupException(ErrorIds.EntryMissing, ErrorKind.NotFound, $"'{set.Tree.RootPath}/{data}' is missing in the set. Test-NasBackupSet finds what else is; another set may have it.", $"{set.Tree.RootPath}/{data}", e)
                : Damaged(data, e.Message, e);
        }
    }

    private BackupException Damaged(FilePath data, string why, Exception? inner = null) => new(
        ErrorIds.EntryDamaged,
        ErrorKind.InvalidData,
        $"'{set.Tree.RootPath}/{data}' is not what was backed up: {why}. It was not restored; another set may have it whole.",
        $"{set.Tree.RootPath}/{data}",
        inner);
}
