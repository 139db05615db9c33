using NasBackup.Files;

namespace NasBackup.Transfer;

/// <summary>How snapshots are called and where they are: by the name, a later run tells whose a snapshot is and whether it is still needed.</summary>
internal static class SnapshotNames
{
    /// <summary>The folder for snapshots in the root of the source's own file system. Scans leave it out.</summary>
    public const string Folder = ".nasbackup-snapshots";

    private const int PlanIdLength = 23;

    /// <summary>What the names of all snapshots begin with that plans of one share have made; another share's are nobody's business here.</summary>
    public static string PrefixOf(string shareId) => $"nasbackup-{shareId}-";

    public static string PrefixOf(string shareId, string planId) => $"{PrefixOf(shareId)}{planId}-";

    /// <summary>The plan that a snapshot was made for, or null where the name is of another form.</summary>
    public static string? PlanOf(string name, string shareId)
    {
        string prefix = PrefixOf(shareId);
        return name.StartsWith(prefix, StringComparison.Ordinal) && name.Length > prefix.Length + PlanIdLength
            ? name.Substring(prefix.Length, PlanIdLength)
            : null;
    }

    public static string FolderIn(string root) => Path.Combine(root, Folder);

    /// <summary>Where a path is when its root is seen somewhere else.</summary>
    public static string Below(string seenAt, string root, string path)
        => Path.TrimEndingDirectorySeparator(Path.Combine(seenAt, path[root.TrimEnd(Path.DirectorySeparatorChar).Length..].TrimStart(Path.DirectorySeparatorChar)));

    /// <summary>The names in a folder that begin so; none where there is no such folder.</summary>
    public static IReadOnlyList<string> In(string folder, string prefix)
    {
        try
        {
            using IFileTree tree = FileTree.Open(folder);
            return [.. tree.ReadDirectory(FilePath.Root, withStatus: false)
                .Select(item => FilePath.Display(item.Name))
                .Where(name => name.StartsWith(prefix, StringComparison.Ordinal))
                .Order(StringComparer.Ordinal)];
        }
        catch (FileSystemException e) when (e.Problem is FileProblem.NotFound)
        {
            return [];
        }
        catch (FileSystemException e)
        {
            throw new SnapshotException(e.Message, e);
        }
    }

    /// <summary>What a query prints.</summary>
    /// <exception cref="SnapshotException">It failed.</exception>
    public static string Ask(LocalCommands commands, CommandLine query, CancellationToken cancellation)
    {
        try
        {
            return commands.Run(query, cancellation).Output;
        }
        catch (CommandFailedException e)
        {
            throw new SnapshotException(e.Message, e);
        }
    }
}
