namespace NasBackup.Transfer;

/// <summary>One way to freeze a source (F19). It only says which commands are to be run; who runs and shows them is another.</summary>
internal interface ISnapshotProvider
{
    SnapshotMode Mode { get; }

    /// <summary>What is to be run to make a snapshot of that name, and where the source is then to be read.</summary>
    /// <param name="source">The source's absolute path on this machine.</param>
    /// <param name="name">The snapshot's name; nothing has it yet.</param>
    /// <exception cref="SnapshotException">This source cannot be frozen in this way.</exception>
    SnapshotSteps Prepare(string source, string name);

    /// <summary>The snapshots there whose names begin so, whoever made them.</summary>
    /// <exception cref="SnapshotException">It cannot be found out.</exception>
    IReadOnlyList<FoundSnapshot> Find(string source, string prefix);
}

/// <summary>The commands that make a snapshot.</summary>
/// <param name="Create">In this order.</param>
/// <param name="ReadPath">Where the frozen source is on this machine; null where the last command prints it as its last line.</param>
internal sealed record SnapshotSteps(IReadOnlyList<CommandLine> Create, string? ReadPath);

/// <summary>A snapshot that is there.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Remove">The commands that remove it, in this order.</param>
internal sealed record FoundSnapshot(string Name, IReadOnlyList<CommandLine> Remove);

/// <summary>A source that cannot be frozen as asked for; the message says why.</summary>
internal sealed class SnapshotException(string message, Exception? inner = null) : Exception(message, inner);
