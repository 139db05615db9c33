namespace NasBackup;

/// <summary>A node's run that was started as a process of its own, which goes on when whoever started it is gone.</summary>
public sealed class NodeProcess
{
    public required string Node { get; init; }

    public required string PlanId { get; init; }

    /// <summary>The share as the node sees it.</summary>
    public required string Share { get; init; }

    /// <summary>The machine that it runs on.</summary>
    public required string Host { get; init; }

    public required int ProcessId { get; init; }

    /// <summary>The file on that machine that has what it prints.</summary>
    public required string LogPath { get; init; }

    /// <inheritdoc/>
    public override string ToString() => $"{Node} ({Host}, process {ProcessId})";
}
