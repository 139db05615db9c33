using System.Collections;

namespace NasBackup.Cmdlets.Parameters;

/// <summary>A node's view of paths, as the shell's hashtable and as the engine takes it.</summary>
internal static class PathMap
{
    /// <summary>Null stays null (not given).</summary>
    public static Dictionary<string, string>? From(IDictionary? map)
    {
        if (map is null)
        {
            return null;
        }

        var paths = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (DictionaryEntry pair in map)
        {
            paths[pair.Key.ToString()!] = pair.Value?.ToString() ?? "";
        }

        return paths;
    }
}
