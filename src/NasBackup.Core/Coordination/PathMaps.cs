namespace NasBackup.Coordination;

/// <summary>
/// How a node sees paths: from the plan's path to its own. The longest entry that matches at a separator is taken. An entry
/// that begins with <c>node:</c> holds while that node owns the disk (F14), and goes before one that always holds.
/// </summary>
internal static class PathMaps
{
    /// <summary>Refuses a map that cannot mean anything.</summary>
    /// <exception cref="BackupException">PathMapInvalid.</exception>
    public static void Check(string node, IReadOnlyDictionary<string, string> map)
    {
        foreach ((string from, string to) in map)
        {
            (string? owner, string path) = Split(from);
            string? problem = !IsAbsolute(path) ? $"'{path}' is not an absolute path of the plan"
                : owner is not null && !NodeName.IsValid(owner) ? $"'{owner}' is not the name of a node"
                : to.Length == 0 ? "it maps to nothing"
                : !IsAbsolute(to) ? $"'{to}' is not an absolute path of the node"
                : Climbs(path) || Climbs(to) ? "its paths may not have '.' or '..'"
                : null;
            if (problem is not null)
            {
                throw new BackupException(
                    ErrorIds.PathMapInvalid,
                    ErrorKind.InvalidArgument,
                    $"The path map of node {node} has an entry '{from}' = '{to}' that cannot be used: {problem}. An entry is '/path/of/the/plan' = '/path/on/the/node', with 'owner:' before it where it holds only while that node owns the disk.",
                    from);
            }
        }
    }

    /// <summary>How a node sees a path of the plan; the path itself where no entry matches.</summary>
    /// <param name="map">The node's map.</param>
    /// <param name="path">The path as the plan names it.</param>
    /// <param name="owner">The node that owns the disk, or null: only entries that always hold.</param>
    public static string Translate(IReadOnlyDictionary<string, string> map, string path, string? owner = null)
    {
        (string Prefix, string Target, bool IsOwners)? best = null;
        foreach ((string from, string to) in map)
        {
            (string? only, string prefix) = Split(from);
            prefix = prefix.TrimEnd('/');
            bool applies = (only is null || only.Equals(owner, StringComparison.OrdinalIgnoreCase))
                && (path == prefix || path.StartsWith(prefix + "/", StringComparison.Ordinal));
            if (applies && (best is not { } other || prefix.Length > other.Prefix.Length || (prefix.Length == other.Prefix.Length && only is not null)))
            {
                best = (prefix, to.TrimEnd('/'), only is not null);
            }
        }

        return best is not { } entry ? path : (entry.Target + path[entry.Prefix.Length..]) is { Length: > 0 } own ? own : "/";
    }

    /// <summary>How the plan names a path of the node, by the entries that always hold; the path itself where none matches.</summary>
    public static string TranslateBack(IReadOnlyDictionary<string, string> map, string path)
        => Translate(
            map.Where(pair => Split(pair.Key).Owner is null)
                .GroupBy(pair => pair.Value, StringComparer.Ordinal)
                .ToDictionary(group => group.Key, group => group.First().Key, StringComparer.Ordinal),
            path);

    /// <summary>All places at which a node may see a path, the likeliest first: as it is while this node owns it, as it always is, and
    /// as it is while one of the others does. Which is the right one, the place itself has to prove.</summary>
    public static IReadOnlyList<string> Candidates(IReadOnlyDictionary<string, string> map, string path, string? owner)
        => [.. new[] { owner, null }
            .Concat(map.Keys.Select(key => Split(key).Owner).Where(other => other is not null))
            .Select(other => Translate(map, path, other))
            .Distinct(StringComparer.Ordinal)];

    /// <summary>The owner before the colon, if there is one, and the path.</summary>
    public static (string? Owner, string Path) Split(string key)
    {
        int colon = key.IndexOf(':', StringComparison.Ordinal);
        bool isDrive = OperatingSystem.IsWindows() && colon == 1;
        return colon <= 0 || isDrive || key.IndexOf('/', StringComparison.Ordinal) is >= 0 and int slash && slash < colon ? (null, key) : (key[..colon], key[(colon + 1)..]);
    }

    private static bool Climbs(string path) => path.Split('/', '\\').Any(part => part is "." or "..");

    private static bool IsAbsolute(string path) => path.StartsWith('/') || (OperatingSystem.IsWindows() && Path.IsPathFullyQualified(path));
}
