namespace NasBackup.Transfer;

/// <summary>
/// Snapshots by a command of the node's own settings. It is told by NASBACKUP_ACTION what to do (create, list, remove), by
/// NASBACKUP_SOURCE for which source, by NASBACKUP_SNAPSHOT which snapshot; docs/snapshots.md has its contract.
/// </summary>
internal sealed class ScriptSnapshots(LocalCommands commands, IReadOnlyList<string> command, CancellationToken cancellation) : ISnapshotProvider
{
    public SnapshotMode Mode => SnapshotMode.Script;

    public SnapshotSteps Prepare(string source, string name) => new([Command("create", source, name)], ReadPath: null);

    public IReadOnlyList<FoundSnapshot> Find(string source, string prefix)
        => [.. SnapshotNames.Ask(commands, Command("list", source, prefix), cancellation)
            .Split('\n', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries)
            .Where(name => name.StartsWith(prefix, StringComparison.Ordinal))
            .Select(name => new FoundSnapshot(name, [Command("remove", source, name)]))];

    private CommandLine Command(string action, string source, string name) => command.Count == 0
        ? throw new SnapshotException("no snapshotCommand stands in this node's own settings (/etc/nasbackup/node.json)")
        : new CommandLine(command[0], [.. command.Skip(1)])
        {
            Variables = new Dictionary<string, string>(StringComparer.Ordinal)
            {
                ["NASBACKUP_ACTION"] = action,
                ["NASBACKUP_SOURCE"] = source,
                ["NASBACKUP_SNAPSHOT"] = name,
            },
        };
}
