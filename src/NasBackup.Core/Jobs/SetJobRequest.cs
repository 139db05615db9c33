namespace NasBackup.Jobs;

/// <summary>A verification or a restore by several nodes: which set, and by whom.</summary>
public sealed record SetJobRequest
{
    /// <summary>The device, as the nodes' path maps know it.</summary>
    public required string Device { get; init; }

    public required string SetId { get; init; }

    /// <summary>Names of the nodes; empty for all that are registered. Unknown ones are registered.</summary>
    public IReadOnlyList<string> Nodes { get; init; } = [];

    /// <inheritdoc cref="BackupRequest.FailureTimeout"/>
    public TimeSpan FailureTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <inheritdoc cref="BackupRequest.FailoverTimeout"/>
    public TimeSpan FailoverTimeout { get; init; } = TimeSpan.FromMinutes(5);
}
