using NasBackup.Files;

namespace NasBackup.Coordination;

/// <summary>Opens a share, and finds out whether it can be one: what the protocol stands on is tried, not believed.</summary>
internal static class ShareOpener
{
    private static readonly FilePath Marker = FilePath.FromText("nasbackup.json");
    private static readonly FilePath Probes = FilePath.FromText("probes");
    private const int RaceRounds = 8;

    /// <summary>Opens it, and makes it a share where that is wanted.</summary>
    /// <exception cref="BackupException">ShareNotFound, ShareReadOnly, ShareUnsuitable.</exception>
    public static Share Open(string path, bool create, INodeRuntime runtime, Tokens tokens)
    {
        try
        {
            var share = new Share(OpenFolder(path, create), runtime, tokens);
            try
            {
                Prepare(share, create);
                return share;
            }
            catch
            {
                share.Dispose();
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

    private static void Prepare(Share share, bool create)
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
            Probe(share);
        }
    }

    /// <summary>A short race for some slots, once per host that writes here: each slot must have one winner, and both racers must see the same one.</summary>
    private static void Probe(Share share)
    {
        string host = Environment.MachineName;
        FilePath passed = Probes.Combine($"{host}.json");
        if (share.Read(passed, CoordinationJson.Default.SlotDocument) is not null)
        {
            return;
        }

        FilePath folder = Probes.Combine($"race.{share.Tokens.Next(8)}");
        share.MakeFolder(folder);
        var seen = new string[2, RaceRounds];
        void Race(int racer)
        {
            var me = new Identity(host, share.Tokens.Next(8));
            for (int round = 0; round < RaceRounds; round++)
            {
                seen[racer, round] = share.Publish(
                    folder, $"{round}", me.Slot(share, SlotKind.Taken), CoordinationJson.Default.SlotDocument).Token;
            }
        }

        INodeThread other = share.Runtime.Start("probe", () => Race(1));
        Race(0);
        other.Join();
        for (int round = 0; round < RaceRounds; round++)
        {
            if (seen[0, round] != seen[1, round])
            {
                throw new BackupException(
                    ErrorIds.ShareUnsuitable,
                    ErrorKind.NotSupported,
                    $"The share '{share.Path}' ({share.Tree.FileSystemName}) let two writers both be first with the same file, so takeovers could not be decided on it. Use another file system, or mount options without such caching.",
                    share.Path);
            }
        }

        share.RemoveFolder(folder);
        share.Publish(Probes, $"{host}.json", new Identity(host, "").Slot(share, SlotKind.Taken), CoordinationJson.Default.SlotDocument);
    }
}
