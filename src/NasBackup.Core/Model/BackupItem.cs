using NasBackup.Files;

namespace NasBackup;

/// <summary>One name in a backup set: a file, a folder, a link.</summary>
public sealed class BackupItem
{
    public required string SetId { get; init; }

    /// <summary>The device that the set lies on.</summary>
    public required string Device { get; init; }

    /// <summary>Absolute, as the plan names it; bytes that are not text are written \xHH.</summary>
    public required string Path { get; init; }

    /// <summary>The last part of the path.</summary>
    public required string Name { get; init; }

    public required EntryKind Kind { get; init; }

    /// <summary>Bytes; 0 for anything but a file.</summary>
    public required long Size { get; init; }

    /// <summary>UTC; its digits beyond 100 ns are in the manifest alone.</summary>
    public required DateTime ModifiedTime { get; init; }

    /// <summary>Permission bits with setuid, setgid and sticky, in octal digits.</summary>
    public required string Mode { get; init; }

    /// <summary>User id, by number.</summary>
    public required long Owner { get; init; }

    /// <summary>Group id, by number.</summary>
    public required long Group { get; init; }

    /// <summary>XXH128 of the content, as xxh128sum prints it; null where there is none, and for a file that was copied in segments.</summary>
    public string? Hash { get; init; }

    /// <summary>Of a file that was copied in segments: where each begins, its length in bytes, and its XXH128, with blanks between; else empty.</summary>
    public IReadOnlyList<string> SegmentHashes { get; init; } = [];

    /// <summary>Where its copy lies on the device.</summary>
    public required string DataPath { get; init; }

    /// <summary>When the set was asked for (UTC).</summary>
    public required DateTime SetCreatedAt { get; init; }

    /// <inheritdoc/>
    public override string ToString() => Path;
}

/// <summary>What is looked for in sets.</summary>
public sealed record ItemQuery
{
    /// <summary>Patterns as in -Include, of names or of paths; empty for everything.</summary>
    public IReadOnlyList<string> Path { get; init; } = [];

    public long? MinSize { get; init; }

    public long? MaxSize { get; init; }

    public DateTime? ModifiedAfter { get; init; }

    public DateTime? ModifiedBefore { get; init; }

    /// <summary>Empty for every kind.</summary>
    public IReadOnlyList<EntryKind> Kind { get; init; } = [];
}
