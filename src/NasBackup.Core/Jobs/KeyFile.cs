using NasBackup.Files;
using NasBackup.Formats;

namespace NasBackup.Jobs;

/// <summary>The file with the cluster's keys: read by its owner alone, the same on all nodes, and never on the share.</summary>
public static class KeyFile
{
    private const int RightsOfOthers = 0x3F; // 0077
    private const int LongestFile = 64 * 1024;

    /// <summary>Makes a key, in a new file or behind those that a file has.</summary>
    /// <param name="path">An absolute path; its folder must exist.</param>
    /// <param name="append">Whether the file exists and gets another key, which signs from now on.</param>
    /// <exception cref="BackupException">KeyFileExists, KeyFileInvalid.</exception>
    public static ClusterKey Make(string path, bool append)
    {
        try
        {
            using IFileTree folder = FileTree.Open(System.IO.Path.GetDirectoryName(path) ?? "/");
            FilePath name = FilePath.Parse(System.IO.Path.GetFileName(path));
            string before = append ? ReadText(path) : "";
            string lines = ClusterKeys.NewLines(TimeProvider.System.GetUtcNow().UtcDateTime, out string id);
            ClusterKeys keys = ClusterKeys.Parse(before + lines);
            FilePath draft = FilePath.FromText($".{FilePath.Display(name.Bytes)}.{Coordination.Tokens.System.Next(6)}");
            using (IFileHandle file = folder.CreateNew(append ? draft : name))
            {
                file.Write(System.Text.Encoding.UTF8.GetBytes(before + lines));
                file.Sync();
                file.Close();
            }

            if (append)
            {
                folder.Rename(draft, name);
            }

            folder.SyncDirectory(FilePath.Root);
            return new ClusterKey { Path = path, KeyId = id, Keys = keys.Count };
        }
        catch (FileSystemException e) when (e.Problem is FileProblem.AlreadyExists)
        {
            throw new BackupException(
                ErrorIds.KeyFileExists, ErrorKind.AlreadyExists, $"The key file '{path}' exists already. Add another key to it with -Append, or name another file.", path, e);
        }
        catch (Exception e) when (e is FileSystemException or FormatException)
        {
            throw Invalid(path, e);
        }
    }

    /// <summary>What seals and opens by these settings.</summary>
    /// <exception cref="BackupException">KeyFileInvalid.</exception>
    internal static Sealer ReadSealer(NodeSettings settings)
    {
        if (settings.KeyFile is not { } path)
        {
            return Sealer.Unkeyed;
        }

        try
        {
            return new Sealer(ClusterKeys.Parse(ReadText(path)));
        }
        catch (Exception e) when (e is FileSystemException or FormatException)
        {
            throw Invalid(path, e);
        }
    }

    /// <summary>A key that lies on the share is no secret to those whom it is to keep out.</summary>
    /// <exception cref="BackupException">KeyFileInvalid.</exception>
    internal static void ThrowIfOnShare(NodeSettings settings, IFileTree share)
    {
        if (settings.KeyFile is not { } path)
        {
            return;
        }

        using IFileTree folder = FileTree.Open(System.IO.Path.GetDirectoryName(path) ?? "/");
        IFileTree opened = share is Coordination.FollowingTree following ? following.Opened : share;
        if (FilePath.Parse(FileTree.RealPathOf(folder).Trim('/')).IsAtOrBelow(FilePath.Parse(FileTree.RealPathOf(opened).Trim('/'))))
        {
            throw Invalid(path, new FormatException($"it lies on the share '{share.RootPath}', where it is no secret"));
        }
    }

    private static string ReadText(string path)
    {
        using IFileTree folder = FileTree.Open(System.IO.Path.GetDirectoryName(path) ?? "/");
        using IFileHandle file = folder.OpenRead(FilePath.Parse(System.IO.Path.GetFileName(path)));
        FileStatus status = file.GetStatus();
        if (FileTree.CurrentUser is { } me)
        {
            FieldRules.Require(status.Metadata.Owner == me || status.Metadata.Owner == 0, $"it belongs to user {status.Metadata.Owner}");
            FieldRules.Require((status.Metadata.Mode & RightsOfOthers) == 0, $"others have rights to it (mode {Convert.ToString(status.Metadata.Mode, 8)}); take them away (chmod 600)");
        }

        FieldRules.Require(status.Size <= LongestFile, "it is far larger than a key file");
        var bytes = new byte[status.Size];
        return System.Text.Encoding.UTF8.GetString(bytes, 0, file.ReadAt(bytes, 0));
    }

    private static BackupException Invalid(string path, Exception e) => new(
        ErrorIds.KeyFileInvalid,
        ErrorKind.InvalidData,
        $"The key file '{path}' cannot be used: {e.Message}. Make one with New-NasClusterKey and copy it to all nodes, readable for their service user alone.",
        path,
        e);
}
