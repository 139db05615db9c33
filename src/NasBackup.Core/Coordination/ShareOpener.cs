using NasBackup.Files;
using NasBackup.Formats;

namespace NasBackup.Coordination;

/// <summary>Opens a share, and finds out whether it can be one: what the protocol stands on is tried, not believed.</summary>
internal static class ShareOpener
{
    private static readonly FilePath Marker = FilePath.FromText("nasbackup.json");
    private static readonly FilePath Probes = FilePath.FromText("probes");

    /// <summary>Opens it, and makes it a share where that is wanted.</summary>
    /// <exception cref="BackupException">ShareNotFound, ShareReadOnly, ShareUnsuitable.</exception>
    public static Share Open(string path, bool create, INodeRuntime runtime, Tokens tokens, Sealer? sealer = null)
    {
        try
        {
            IFileTree opened = OpenFolder(path, create);
            try
            {
                string id = Prepare(new Share(opened, runtime, tokens), create);
                bool IsIt(IFileTree tree) => new Share(tree, runtime, tokens).TryRead(Marker, CoordinationJson.Default.ShareDocument)?.Id == id;
                return new Share(new FollowingTree(path, opened, FileTree.Open, IsIt, runtime), runtime, tokens, sealer);
            }
            catch
            {
                opened.Dispose();
                throw;
            }
        }
        catch (FileSystemException e)
        {
            throw e.Problem switch
            {
                FileProblem.NotFound or FileProblem.NotADirectory => new BackupException(
                    ErrorIds.ShareNotFound, ErrorKind.NotFound, $"The share '{path}' does not exist: {e.Reason}. Mount it, make the folder, or name another with -Share.", path, e),
                FileProblem.ReadOnly or FileProblem.AccessDenied => new BackupException(
                    ErrorIds.ShareReadOnly, ErrorKind.AccessDenied, $"The share '{path}' cannot be written to: {e.Reason}. Remount it read-write, or check its permissions.", path, e),
                _ => new BackupException(ErrorIds.ShareUnsuitable, ErrorKind.DeviceError, $"The share '{path}' cannot be used: {e.Message}.", path, e),
            };
        }
    }

    /// <summary>Opens a folder; makes it where only the last part is missing.</summary>
    public static IFileTree OpenFolder(string path, bool create)
    {
        try
        {
            return FileTree.Open(path);
        }
        catch (FileSystemException e) when (create && e.Problem is FileProblem.NotFound && System.IO.Path.GetDirectoryName(path) is { } parent)
        {
            using IFileTree above = FileTree.Open(parent);
            above.CreateDirectory(FilePath.Parse(System.IO.Path.GetFileName(path)));
            return FileTree.Open(path);
        }
    }

    /// <summary>A race between the nodes that start at about the same time, once per host (F12–F16 stand on what it tries).</summary>
    /// <param name="folder">The plan that they start on.</param>
    /// <param name="racer">NODE.INCARNATION.</param>
    /// <exception cref="BackupException">ShareUnsuitable.</exception>
    /// <exception cref="FileSystemException">The share cannot be reached.</exception>
    public static void RaceWithOthers(PlanFolder folder, string racer)
    {
        // What the race leaves gives no orders, so it is not signed.
        var share = new Share(folder.Share.Tree, folder.Share.Runtime, folder.Share.Tokens);
        string passed = $"{Environment.MachineName}.nodes.json";
        if (share.TryRead(Probes.Combine(passed), CoordinationJson.Default.SlotDocument) is null)
        {
            if (ShareProbe.RaceWithOthers(share, folder.Root.Combine("probe"), racer) is { } other)
            {
                throw Unsuitable(share, $"{racer} and {other}");
            }

            MarkPassed(share, passed);
        }
    }

    /// <summary>Makes it a share where that is wanted, and tells its id.</summary>
    private static string Prepare(Share share, bool create)
    {
        ShareDocument? marker = share.Read(Marker, CoordinationJson.Default.ShareDocument);
        if (marker is null)
        {
            if (!create)
            {
                throw new BackupException(
                    ErrorIds.ShareNotFound, ErrorKind.NotFound, $"'{share.Path}' is not a share of NasBackup: it holds no 'nasbackup.json'. Name the right folder with -Share, or make it one with Register-NasNode.", share.Path);
            }

            marker = share.Publish(
                FilePath.Root, "nasbackup.json", new ShareDocument(ShareDocument.FormatName, ShareDocument.CurrentVersion, share.Tokens.Next(16)), CoordinationJson.Default.ShareDocument);
        }

        if (marker is not { Format: ShareDocument.FormatName, Version: ShareDocument.CurrentVersion })
        {
            throw new BackupException(
                ErrorIds.ShareUnsuitable, ErrorKind.InvalidData, $"The share '{share.Path}' was made by another version of NasBackup. Use that version, or another share.", share.Path);
        }

        if (create)
        {
            RaceAlone(share);
        }

        return marker.Id;
    }

    /// <summary>A race of two threads, once per host that makes plans or nodes here: it needs no second machine, so it comes first.</summary>
    private static void RaceAlone(Share share)
    {
        string passed = $"{Environment.MachineName}.json";
        if (share.TryRead(Probes.Combine(passed), CoordinationJson.Default.SlotDocument) is null)
        {
            if (!ShareProbe.RaceAlone(share, Probes.Combine($"race.{share.Tokens.Next(8)}")))
            {
                throw Unsuitable(share, "two writers");
            }

            MarkPassed(share, passed);
        }
    }

    private static void MarkPassed(Share share, string name)
        => share.Publish(Probes, name, new Identity(Environment.MachineName, "").Slot(share, SlotKind.Taken), CoordinationJson.Default.SlotDocument);

    private static BackupException Unsuitable(Share share, string racers) => new(
        ErrorIds.ShareUnsuitable,
        ErrorKind.NotSupported,
        $"The share '{share.Path}' ({share.Tree.FileSystemName}) let {racers} both be first with the same file, so takeovers could not be decided on it. Use another file system, or mount options without such caching.",
        share.Path);
}
