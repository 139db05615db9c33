using NasBackup.Coordination;
using NasBackup.Files;

namespace NasBackup.Jobs;

/// <summary>
/// What a node will read and write at all, by its own settings: whoever can write to the share can ask for anything, and
/// gets no more than this. Checked by the path that the node would open, and again by where the folder that was opened
/// really is, so that neither a path map nor a link leads past it.
/// </summary>
internal static class AllowedPaths
{
    /// <summary>Refuses a request before anything is done for it.</summary>
    /// <exception cref="BackupException">SourceNotAllowed, DestinationNotAllowed.</exception>
    public static void ThrowIfNotAllowed(NodeEnvironment environment, RequestDocument request)
    {
        foreach (SourceDocument source in request.Job is null ? request.Sources : [])
        {
            Check(environment.ToOwnPath(source.Path), environment.Settings.AllowedSource, ErrorIds.SourceNotAllowed);
        }

        Check(environment.ToOwnPath(request.Device), environment.Settings.AllowedDestination, ErrorIds.DestinationNotAllowed);
    }

    /// <summary>Opens a folder if it is allowed.</summary>
    /// <param name="open">Opens it.</param>
    /// <param name="path">As this node sees it.</param>
    /// <param name="allowed">Folders of this node; what is at or below one of them is allowed. Null for everything.</param>
    /// <param name="errorId">SourceNotAllowed or DestinationNotAllowed.</param>
    /// <exception cref="BackupException">It is not allowed.</exception>
    /// <exception cref="FileSystemException">It cannot be opened.</exception>
    public static IFileTree Open(Func<string, IFileTree> open, string path, IReadOnlyList<string>? allowed, string errorId)
    {
        if (allowed is null)
        {
            return open(path);
        }

        Check(path, allowed, errorId);
        IFileTree tree = open(path);
        try
        {
            string real = FileTree.RealPathOf(tree);
            if (!allowed.Any(folder => IsAtOrBelow(real, RealPathOf(open, folder))))
            {
                throw Refused(path == real ? path : $"{path}' ('{real}", allowed, errorId);
            }

            return tree;
        }
        catch
        {
            tree.Dispose();
            throw;
        }
    }

    private static void Check(string path, IReadOnlyList<string>? allowed, string errorId)
    {
        if (allowed is not null && !allowed.Any(folder => IsAtOrBelow(path, folder)))
        {
            throw Refused(path, allowed, errorId);
        }
    }

    /// <summary>The settings may name a folder through a link of the administrator's.</summary>
    private static string RealPathOf(Func<string, IFileTree> open, string folder)
    {
        try
        {
            using IFileTree tree = open(folder);
            return FileTree.RealPathOf(tree);
        }
        catch (FileSystemException)
        {
            return folder;
        }
    }

    private static bool IsAtOrBelow(string path, string folder)
        => FilePath.Parse(path.TrimStart('/')).IsAtOrBelow(FilePath.Parse(folder.Trim('/')));

    private static BackupException Refused(string path, IReadOnlyList<string> allowed, string errorId)
    {
        bool isSource = errorId == ErrorIds.SourceNotAllowed;
        string setting = isSource ? "allowedSource" : "allowedDestination";
        return new BackupException(
            errorId,
            ErrorKind.AccessDenied,
            $"This node may not {(isSource ? "read from" : "write to")} '{path}': its settings allow {(allowed.Count == 0 ? "nothing" : string.Join(", ", allowed))} ({setting}). Change the plan, the node's path map, or {NodeSettings.CurrentPath}.",
            path);
    }
}
