namespace NasBackup;

/// <summary>A key that was made. The key itself stands in the file alone.</summary>
public sealed record ClusterKey
{
    public required string Path { get; init; }

    /// <summary>By which it is known in tags; it tells nothing of the key.</summary>
    public required string KeyId { get; init; }

    /// <summary>How many keys the file has now; the newest signs, all verify.</summary>
    public required int Keys { get; init; }
}
