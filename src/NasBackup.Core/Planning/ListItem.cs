using NasBackup.Files;

namespace NasBackup.Planning;

/// <summary>One line of a list: an entry, and what earlier tries at it came to.</summary>
/// <param name="Entry">What to back up.</param>
/// <param name="Attempt">1 for the first try; 2 when another node tries once more after a failure (promise 1).</param>
/// <param name="EarlierProblem">Why the first try failed, or null.</param>
public readonly record struct ListItem(Entry Entry, int Attempt = 1, string? EarlierProblem = null)
{
    /// <summary>What an older set has of it, or null.</summary>
    public BaseCopy? Base { get; init; }

    /// <summary>What a manifest says of the entry beside its status, in plans that verify or restore; else null.</summary>
    public ListContent? Content { get; init; }

    /// <summary>Bytes that have to be read and written for it, as far as the plan knows.</summary>
    public long BytesToMove => Base is { Use: BaseUse.Link } ? 0 : Entry.Size;

    /// <summary>An entry that failed this often is recorded as failed.</summary>
    public const int LastAttempt = 2;
}
