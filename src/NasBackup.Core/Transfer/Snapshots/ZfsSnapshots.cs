namespace NasBackup.Transfer;

/// <summary>Snapshots of the dataset that holds the source, read through its <c>.zfs</c> folder, which is there for whoever sees the dataset.
/// Datasets below it are not frozen with it.</summary>
internal sealed class ZfsSnapshots(LocalCommands commands, CancellationToken cancellation) : ISnapshotProvider
{
    public SnapshotMode Mode => SnapshotMode.Zfs;

    public SnapshotSteps Prepare(string source, string name)
    {
        (string dataset, string mountPoint) = DatasetOf(source);
        return new SnapshotSteps(
            [new CommandLine("zfs", "snapshot", $"{dataset}@{name}")],
            SnapshotNames.Below(Path.Combine(mountPoint, ".zfs", "snapshot", name), mountPoint, source));
    }

    public IReadOnlyList<FoundSnapshot> Find(string source, string prefix)
    {
        (string dataset, _) = DatasetOf(source);
        string list = SnapshotNames.Ask(commands, new CommandLine("zfs", "list", "-H", "-o", "name", "-t", "snapshot", "-d", "1", dataset), cancellation);
        return [.. list.Split('\n', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries)
            .Where(line => line.StartsWith($"{dataset}@{prefix}", StringComparison.Ordinal))
            .Select(line => new FoundSnapshot(line[(dataset.Length + 1)..], [new CommandLine("zfs", "destroy", line)]))];
    }

    private (string Dataset, string MountPoint) DatasetOf(string source)
    {
        string[] fields = SnapshotNames.Ask(commands, new CommandLine("zfs", "list", "-H", "-o", "name,mountpoint", source), cancellation).Trim().Split('\t');
        return fields is [{ Length: > 0 } dataset, ['/', ..] mountPoint]
            ? (dataset, mountPoint)
            : throw new SnapshotException($"the dataset of '{source}' has no mount point of its own (zfs says '{string.Join(' ', fields)}')");
    }
}
