using System.Text.RegularExpressions;

namespace NasBackup.Cmdlets.Parameters;

/// <summary>What a node may be called.</summary>
internal static partial class NodeName
{
    /// <summary>Throws NodeNameInvalid for the first name that is not one.</summary>
    public static void Check(IEnumerable<string>? names)
    {
        foreach (string name in names ?? [])
        {
            Check(name);
        }
    }

    /// <inheritdoc cref="Check(IEnumerable{string})"/>
    public static void Check(string name)
    {
        // A name of dots alone would be a folder that exists on every share.
        if (!Pattern().IsMatch(name) || name.All(c => c == '.'))
        {
            throw new BackupException(
                ErrorIds.NodeNameInvalid,
                ErrorKind.InvalidArgument,
                $"'{name}' is not a node's name. Use letters, digits, '.', '_' and '-', 63 at most.",
                name);
        }
    }

    [GeneratedRegex(@"^[A-Za-z0-9._-]{1,63}\z", RegexOptions.CultureInvariant, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Pattern();
}
