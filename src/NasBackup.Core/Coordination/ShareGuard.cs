using System.Collections.Concurrent;
using System.Globalization;
using NasBackup.Files;

namespace NasBackup.Coordination;

/// <summary>
/// Who may give orders: like ssh with its files, a node obeys only what nobody else could have written. Everything on the
/// share that it reads, the folders in which that stands, and those above the share must belong to its own user, to root, or
/// to an owner that its settings trust, and must not be writable by others. A sticky folder of a trusted owner (as /tmp is)
/// above the share will do: there others can remove no folder that is not theirs.
/// </summary>
/// <param name="owners">Users that are trusted beside this process's own and root: on NFS, root_squash makes files nobody's.</param>
/// <param name="groups">Groups that may write.</param>
internal sealed class ShareGuard(IReadOnlyList<uint> owners, IReadOnlyList<uint> groups)
{
    private const int WritableByGroup = 0x10; // 0020
    private const int WritableByOthers = 0x2; // 0002
    private const int Sticky = 0x200;         // 01000

    private readonly ConcurrentDictionary<FilePath, bool> _folders = new();
    private readonly uint? _me = FileTree.CurrentUser;

    /// <summary>What is wrong with the share's folder or one above it, or null. Nothing is said on systems without owners and modes.</summary>
    /// <exception cref="FileSystemException">A status cannot be had.</exception>
    public string? ProblemOf(IFileTree share)
    {
        if (_me is null)
        {
            return null;
        }

        string real = FileTree.RealPathOf(share);
        if (ProblemOf(share.GetStatus(FilePath.Root), isAbove: false) is { } problem)
        {
            return $"'{real}' {problem}";
        }

        FilePath path = FilePath.Parse(real.Trim('/'));
        while (!path.IsRoot)
        {
            path = path.Parent;
            if (FileTree.StatusOf("/" + path) is { } status && ProblemOf(status, isAbove: true) is { } above)
            {
                return $"'/{path}', above it, {above}";
            }
        }

        return null;
    }

    /// <summary>Refuses a file that has been opened, or the folder it stands in; each folder is looked at once.</summary>
    /// <exception cref="FileSystemException">AccessDenied: who could write to it, by its mode.</exception>
    public void Check(IFileTree share, FilePath path, in FileStatus opened)
    {
        if (_me is null)
        {
            return;
        }

        ThrowIf(share, path, opened);
        for (FilePath folder = path.Parent; !folder.IsRoot && !_folders.ContainsKey(folder); folder = folder.Parent)
        {
            ThrowIf(share, folder, share.GetStatus(folder));
            _folders.TryAdd(folder, true);
        }
    }

    private void ThrowIf(IFileTree share, FilePath path, in FileStatus status)
    {
        if (ProblemOf(status, isAbove: false) is { } problem)
        {
            throw new FileSystemException(FileProblem.AccessDenied, "obey", $"{share.RootPath}/{path}", $"it {problem} ({ErrorIds.ShareInsecure})");
        }
    }

    private string? ProblemOf(in FileStatus status, bool isAbove)
    {
        FileMetadata metadata = status.Metadata;
        string mode = Convert.ToString(metadata.Mode, 8).PadLeft(4, '0');
        if (metadata.Owner != 0 && metadata.Owner != _me && !owners.Contains(metadata.Owner))
        {
            return string.Create(CultureInfo.InvariantCulture, $"belongs to user {metadata.Owner} (mode {mode}), who is neither this process's user {_me} nor root");
        }

        bool isShielded = isAbove && (metadata.Mode & Sticky) != 0;
        bool byOthers = (metadata.Mode & WritableByOthers) != 0;
        bool byGroup = (metadata.Mode & WritableByGroup) != 0 && !groups.Contains(metadata.Group);
        return isShielded || !(byOthers || byGroup) ? null
            : byOthers ? $"can be written to by everyone (mode {mode})"
            : string.Create(CultureInfo.InvariantCulture, $"can be written to by group {metadata.Group} (mode {mode})");
    }
}
