namespace NasBackup.Jobs;

/// <summary>How one node runs its part.</summary>
public sealed record NodeRunOptions
{
    /// <summary>Files copied at once; 0 for a default from the number of cores.</summary>
    public int Workers { get; init; }

    /// <summary>A limit of the node's throughput in bytes per second, or null.</summary>
    public long? MaxBytesPerSecond { get; init; }

    /// <summary>Helps with a plan that the node is not in.</summary>
    public bool Join { get; init; }

    /// <summary>Obeys a share that others can write to, and warns of it.</summary>
    public bool AllowInsecureShare { get; init; }

    /// <summary>Told now and then how this node stands; called from one thread.</summary>
    public Action<NodeProgress>? Progress { get; init; }

    /// <summary>Told now and then how far the scan is, where this node plans; from any thread.</summary>
    public Action<Files.ScanProgress>? ScanProgress { get; init; }

    /// <summary>Told each decision (why a node is held for failed, why this apportionment); from any thread.</summary>
    public Action<string>? Verbose { get; init; }

    /// <summary>Told what the user should know and is not an error; from any thread.</summary>
    public Action<string>? Warning { get; init; }
}
