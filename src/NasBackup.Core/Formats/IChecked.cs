namespace NasBackup.Formats;

/// <summary>A document that comes from where others can write: it says itself what is wrong with it, in one place.</summary>
internal interface IChecked
{
    /// <summary>Refuses what the format does not allow: numbers out of range, names that are none, paths that lead elsewhere.</summary>
    /// <exception cref="FormatException">The message names the field.</exception>
    void Check();
}

/// <summary>What documents ask of their fields.</summary>
internal static class FieldRules
{
    private const int LongestText = 64 * 1024;
    private const int LongestId = 64;

    /// <summary>Says what is wrong where something does not hold.</summary>
    /// <exception cref="FormatException">It does not.</exception>
    public static void Require(bool holds, string problem)
    {
        if (!holds)
        {
            throw new FormatException(problem);
        }
    }

    /// <summary>Bytes, entries, ordinals, lengths.</summary>
    public static void NotNegative(long value, string field) => Require(value >= 0, $"{field} is negative");

    /// <summary>Seconds and rates.</summary>
    public static void InRange(double value, double least, double most, string field)
        => Require(value >= least && value <= most, $"{field} is not between {least} and {most}");

    /// <summary>Text for people: of bounded length, without NUL.</summary>
    public static void Text(string? value, string field)
        => Require(
            value is { Length: <= LongestText } && !value.Contains('\0', StringComparison.Ordinal),
            $"{field} is missing, is longer than any that was written, or holds a NUL");

    /// <inheritdoc cref="Text"/>
    public static void OptionalText(string? value, string field)
    {
        if (value is not null)
        {
            Text(value, field);
        }
    }

    /// <summary>Ids and tokens, which stand in names of files: letters, digits and hyphens.</summary>
    public static void Id(string? value, string field)
        => Require(value is { Length: > 0 and <= LongestId } && value.All(c => char.IsAsciiLetterOrDigit(c) || c is '-'), $"{field} is not an id");

    /// <summary>32 hex digits.</summary>
    public static void Hash(string? value, string field) => Require(Hash128.TryParse(value, out _), $"{field} is not 32 hex digits");

    /// <summary>An array of at most that many, each of which is checked.</summary>
    public static void Each<T>(IReadOnlyCollection<T>? items, int most, string field, Action<T> check)
    {
        Require(items is not null, $"{field} is missing");
        Require(items!.Count <= most, $"{field} has {items.Count} items, more than the {most} that are allowed");
        foreach (T item in items)
        {
            Require(item is not null, $"{field} has an item that is null");
            check(item);
        }
    }
}
