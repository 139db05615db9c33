using NasBackup.Files;

namespace NasBackup.Transfer;

/// <summary>Read-only snapshots of the subvolume that holds the source, inside that subvolume, so that whoever sees the source sees them.
/// Subvolumes below it are not frozen with it; they appear empty.</summary>
internal sealed class BtrfsSnapshots : ISnapshotProvider
{
    /// <summary>The inode number of every subvolume's root.</summary>
    private const ulong SubvolumeInode = 256;

    public SnapshotMode Mode => SnapshotMode.Btrfs;

    public SnapshotSteps Prepare(string source, string name)
    {
        string root = SubvolumeOf(source);
        string folder = SnapshotNames.FolderIn(root);
        string snapshot = Path.Combine(folder, name);
        return new SnapshotSteps(
            [
                new CommandLine("mkdir", "-p", "-m", "0700", folder),
                new CommandLine("btrfs", "subvolume", "snapshot", "-r", root, snapshot),
            ],
            SnapshotNames.Below(snapshot, root, source));
    }

    public IReadOnlyList<FoundSnapshot> Find(string source, string prefix)
    {
        string folder = SnapshotNames.FolderIn(SubvolumeOf(source));
        return [.. SnapshotNames.In(folder, prefix)
            .Select(name => new FoundSnapshot(name, [new CommandLine("btrfs", "subvolume", "delete", Path.Combine(folder, name))]))];
    }

    private static string SubvolumeOf(string source)
    {
        for (string? path = source; path is not null; path = Path.GetDirectoryName(path))
        {
            try
            {
                using IFileTree tree = FileTree.Open(path);
                if (tree.FileSystemName != "btrfs")
                {
                    break;
                }

                if (tree.GetStatus(FilePath.Root).Inode == SubvolumeInode)
                {
                    return path;
                }
            }
            catch (FileSystemException e) when (e.Problem is FileProblem.NotADirectory)
            {
                // The source is a single file; its folder comes next.
            }
            catch (FileSystemException e)
            {
                throw new SnapshotException(e.Message, e);
            }
        }

        throw new SnapshotException($"'{source}' does not lie on a btrfs file system");
    }
}
