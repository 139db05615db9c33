using NasBackup.Files;

namespace NasBackup.Transfer;

/// <summary>How this machine makes snapshots; from the node's own settings.</summary>
internal sealed record SnapshotOptions
{
    /// <summary>The command of <see cref="SnapshotMode.Script"/>: a program and its arguments; empty where there is none.</summary>
    public IReadOnlyList<string> Command { get; init; } = [];

    /// <summary>How long one command may take.</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromMinutes(2);

    /// <summary>Room for what changes under a snapshot of a thick logical volume, as lvcreate's -l takes it.</summary>
    public string Space { get; init; } = "20%ORIGIN";
}

/// <summary>A snapshot that was made.</summary>
/// <param name="Mode">In which way.</param>
/// <param name="Name">Its name.</param>
/// <param name="ReadPath">Where the frozen source is on this machine.</param>
internal sealed record MadeSnapshot(SnapshotMode Mode, string Name, string ReadPath);

/// <summary>Makes, finds and removes snapshots of sources whose disk this machine has (F19).</summary>
/// <param name="options">From the node's own settings.</param>
/// <param name="tell">Told of every command and of what it printed.</param>
/// <param name="pulse">Called while a command runs.</param>
/// <param name="cancellation">Ends a command that runs.</param>
internal sealed class Snapshotter(SnapshotOptions options, Action<string> tell, Action pulse, CancellationToken cancellation)
{
    private readonly LocalCommands _commands = new(options.Timeout, tell, pulse);

    /// <summary>Makes a snapshot; null where <see cref="SnapshotMode.Auto"/> finds no way to freeze this source.</summary>
    /// <exception cref="BackupException">SnapshotFailed. What was made halfway has been removed again.</exception>
    public MadeSnapshot? Create(SnapshotMode mode, string source, string name) => Guard(source, () =>
    {
        if (Choose(mode, source) is not { } provider)
        {
            return null;
        }

        SnapshotSteps steps = provider.Prepare(source, name);
        try
        {
            CommandResult last = new(0, "", "");
            foreach (CommandLine command in steps.Create)
            {
                last = _commands.Run(command, cancellation);
            }

            string path = steps.ReadPath ?? last.LastLine;
            return Path.IsPathFullyQualified(path) && Exists(path)
                ? new MadeSnapshot(provider.Mode, name, Path.TrimEndingDirectorySeparator(path))
                : throw new SnapshotException($"the snapshot was made, but the source is not to be seen at '{path}'");
        }
        catch (Exception e) when (e is CommandFailedException or SnapshotException or OperationCanceledException)
        {
            Undo(provider, source, name);
            throw;
        }
    });

    /// <summary>The commands that <see cref="Create"/> would run, and those that remove the snapshot; none where Auto finds no way.</summary>
    /// <exception cref="BackupException">SnapshotFailed.</exception>
    public IReadOnlyList<CommandLine> Describe(SnapshotMode mode, string source, string name)
        => Guard(source, () => Choose(mode, source)?.Prepare(source, name).Create ?? []);

    /// <summary>Names of the snapshots of a source that begin so.</summary>
    /// <exception cref="BackupException">SnapshotFailed.</exception>
    public IReadOnlyList<string> Find(SnapshotMode mode, string source, string prefix)
        => Guard<IReadOnlyList<string>>(source, () => [.. (Choose(mode, source)?.Find(source, prefix) ?? []).Select(found => found.Name)]);

    /// <summary>Removes the snapshots of a source whose names begin so; one that another removes at the same moment does not matter.</summary>
    /// <returns>How many there were.</returns>
    /// <exception cref="BackupException">SnapshotFailed.</exception>
    public int Remove(SnapshotMode mode, string source, string prefix) => Guard(source, () =>
    {
        if (Choose(mode, source) is not { } provider)
        {
            return 0;
        }

        IReadOnlyList<FoundSnapshot> there = provider.Find(source, prefix);
        foreach (FoundSnapshot found in there)
        {
            try
            {
                RunAll(found.Remove);
            }
            catch (CommandFailedException) when (provider.Find(source, found.Name).Count == 0)
            {
                // Another node of this machine was quicker.
            }
        }

        return there.Count;
    });

    private static T Guard<T>(string source, Func<T> work)
    {
        try
        {
            return work();
        }
        catch (SnapshotException e)
        {
            throw new BackupException(
                ErrorIds.SnapshotFailed, ErrorKind.DeviceError, $"'{source}' cannot be frozen by a snapshot: {e.Message}. Mend that, choose another way with -Snapshot, or back up without.", source, e);
        }
        catch (CommandFailedException e)
        {
            throw new BackupException(
                ErrorIds.SnapshotFailed,
                e.HasHung ? ErrorKind.Timeout : ErrorKind.DeviceError,
                $"The snapshot of '{source}' failed: {e.Message}. Mend that, choose another way with -Snapshot, or back up without.",
                source,
                e);
        }
    }

    private void Undo(ISnapshotProvider provider, string source, string name)
    {
        // The node may be leaving; what it made must not stay for that.
        var commands = new LocalCommands(options.Timeout, tell, pulse);
        try
        {
            foreach (CommandLine command in provider.Find(source, name).SelectMany(found => found.Remove))
            {
                commands.Run(command, CancellationToken.None);
            }
        }
        catch (Exception e) when (e is CommandFailedException or SnapshotException or OperationCanceledException)
        {
            tell($"What was made of the snapshot '{name}' stays until the next run: {e.Message}");
        }
    }

    private void RunAll(IReadOnlyList<CommandLine> commands)
    {
        foreach (CommandLine command in commands)
        {
            _commands.Run(command, cancellation);
        }
    }

    private ISnapshotProvider? Choose(SnapshotMode mode, string source) => mode switch
    {
        SnapshotMode.Btrfs => new BtrfsSnapshots(),
        SnapshotMode.Zfs => new ZfsSnapshots(_commands, cancellation),
        SnapshotMode.Lvm => new LvmSnapshots(_commands, options.Space, cancellation),
        SnapshotMode.Vss => new VssSnapshots(),
        SnapshotMode.Script => new ScriptSnapshots(_commands, options.Command, cancellation),
        SnapshotMode.Auto => ChooseFor(source),
        _ => null,
    };

    /// <summary>The administrator's own command first; then what the file system itself can do.</summary>
    private ISnapshotProvider? ChooseFor(string source)
    {
        if (options.Command.Count > 0)
        {
            return Choose(SnapshotMode.Script, source);
        }

        if (OperatingSystem.IsWindows())
        {
            return Choose(SnapshotMode.Vss, source);
        }

        return FileSystemOf(source) switch
        {
            "btrfs" => Choose(SnapshotMode.Btrfs, source),
            "zfs" => Choose(SnapshotMode.Zfs, source),
            "ext4" or "xfs" when IsOnVolume(source) => Choose(SnapshotMode.Lvm, source),
            _ => null,
        };
    }

    private bool IsOnVolume(string source)
        => _commands.Ask(new CommandLine("findmnt", "-n", "-r", "-o", "SOURCE", "-T", source), cancellation)?.Trim() is { Length: > 0 } device
            && !string.IsNullOrWhiteSpace(_commands.Ask(new CommandLine("lvs", "--noheadings", "-o", "lv_name", device), cancellation));

    private static string FileSystemOf(string source)
    {
        try
        {
            using IFileTree tree = FileTree.Open(source);
            return tree.FileSystemName;
        }
        catch (FileSystemException e) when (e.Problem is FileProblem.NotADirectory && Path.GetDirectoryName(source) is { } folder)
        {
            return FileSystemOf(folder);
        }
        catch (FileSystemException e)
        {
            throw new SnapshotException(e.Message, e);
        }
    }

    private static bool Exists(string path) => Path.Exists(path);
}
