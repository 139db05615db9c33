using NasBackup.Files;

namespace NasBackup.Sets;

/// <summary>Tells what on the device keeps an entry from its place, for which there is no use in waiting: something that is no
/// folder where one is needed, such as a link that somebody has planted, or a folder where none belongs.</summary>
internal static class PlacementObstacle
{
    /// <summary>Looks for one.</summary>
    /// <param name="set">The set's folder.</param>
    /// <param name="dataBase">What the entry's paths are appended to.</param>
    /// <param name="entry">The entry.</param>
    /// <returns>A sentence that names it and says what to do, or null where nothing stands in the way.</returns>
    public static string? Find(IFileTree set, FilePath dataBase, Entry entry)
    {
        foreach (FilePath name in (IEnumerable<FilePath>)[entry.Path, .. entry.OtherNames ?? []])
        {
            if (Find(set, dataBase.Combine(name), entry.Kind is EntryKind.Directory) is { } obstacle)
            {
                return $"{obstacle}; take it away and back up again";
            }
        }

        return null;
    }

    private static string? Find(IFileTree set, FilePath name, bool isFolder)
    {
        var path = new Stack<FilePath>();
        for (FilePath at = isFolder ? name : name.Parent; !at.IsRoot; at = at.Parent)
        {
            path.Push(at);
        }

        while (path.TryPop(out FilePath next))
        {
            switch (KindOf(set, next))
            {
                case EntryKind.Directory:
                    break;
                case null:
                    return null;
                case EntryKind.SymbolicLink:
                    return $"a symbolic link stands at '{set.RootPath}/{next}' in the place of a folder, and links are not followed";
                default:
                    return $"something that is no folder stands at '{set.RootPath}/{next}'";
            }
        }

        return !isFolder && KindOf(set, name) is EntryKind.Directory ? $"a folder stands at '{set.RootPath}/{name}'" : null;
    }

    /// <summary>Null where there is nothing, or where it cannot be told.</summary>
    private static EntryKind? KindOf(IFileTree set, FilePath path)
    {
        try
        {
            return set.GetStatus(path).Kind;
        }
        catch (FileSystemException)
        {
            return null;
        }
    }
}
