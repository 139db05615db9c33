namespace NasBackup.Transfer;

/// <summary>A snapshot of the logical volume that holds the source, mounted read-only inside the source's own file system, so that an
/// export of it that crosses mounts shows the snapshot as well.</summary>
/// <param name="commands">Runs what only asks.</param>
/// <param name="cancellation">Ends a query that runs.</param>
/// <param name="space">Room for what changes while a snapshot of a thick volume is there, as lvcreate's -l takes it.</param>
internal sealed class LvmSnapshots(LocalCommands commands, string space, CancellationToken cancellation) : ISnapshotProvider
{
    public SnapshotMode Mode => SnapshotMode.Lvm;

    public SnapshotSteps Prepare(string source, string name)
    {
        Volume volume = VolumeOf(source);
        string folder = Path.Combine(SnapshotNames.FolderIn(volume.MountPoint), name);
        string[] size = volume.IsThin ? ["-kn"] : ["-l", space];
        // xfs refuses a second file system of the same id; its log cannot be replayed on a read-only mount of a thin snapshot without writing.
        string options = volume.FileSystem == "xfs" ? "ro,nouuid" : "ro";
        return new SnapshotSteps(
            [
                new CommandLine("lvcreate", ["-y", "-s", .. size, "-n", name, $"{volume.Group}/{volume.Name}"]),
                new CommandLine("mkdir", "-p", "-m", "0700", folder),
                new CommandLine("mount", "-o", options, $"/dev/{volume.Group}/{name}", folder),
            ],
            SnapshotNames.Below(folder, volume.MountPoint, source));
    }

    public IReadOnlyList<FoundSnapshot> Find(string source, string prefix)
    {
        Volume volume = VolumeOf(source);
        string list = SnapshotNames.Ask(commands, new CommandLine("lvs", "--noheadings", "-o", "lv_name", volume.Group), cancellation);
        return [.. list.Split('\n', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries)
            .Where(name => name.StartsWith(prefix, StringComparison.Ordinal))
            .Select(name => new FoundSnapshot(name, Remove(volume, name)))];
    }

    private static IReadOnlyList<CommandLine> Remove(Volume volume, string name)
    {
        string folder = Path.Combine(SnapshotNames.FolderIn(volume.MountPoint), name);
        return
        [
            new CommandLine("umount", folder) { MayFail = true },
            new CommandLine("lvremove", "-y", $"{volume.Group}/{name}"),
            new CommandLine("rmdir", folder) { MayFail = true },
        ];
    }

    private Volume VolumeOf(string source)
    {
        string[] mount = Fields(SnapshotNames.Ask(commands, new CommandLine("findmnt", "-n", "-r", "-o", "SOURCE,TARGET,FSTYPE", "-T", source), cancellation));
        if (mount is not [['/', ..] device, { } mountPoint, { } fileSystem])
        {
            throw new SnapshotException($"'{source}' does not lie on a logical volume (findmnt says '{string.Join(' ', mount)}')");
        }

        string[] volume = Fields(commands.Ask(new CommandLine("lvs", "--noheadings", "-o", "vg_name,lv_name,pool_lv", device), cancellation) ?? "");
        return volume is [{ } group, { } name, ..]
            ? new Volume(group, name, volume.Length > 2, mountPoint, fileSystem)
            : throw new SnapshotException($"'{source}' lies on '{device}', which is no logical volume");
    }

    private static string[] Fields(string line) => line.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries);

    private sealed record Volume(string Group, string Name, bool IsThin, string MountPoint, string FileSystem);
}
