namespace NasBackup.Files;

/// <summary>Opens a folder as the system at hand allows.</summary>
public static class FileTree
{
    /// <summary>Opens an existing folder.</summary>
    /// <param name="path">Its path; a relative one is below the current folder. On Linux, bytes that are not UTF-8 are
    /// written <c>\xHH</c>.</param>
    /// <exception cref="FileSystemException">There is no such folder (NotFound), it is none (NotADirectory), or it
    /// cannot be read.</exception>
    public static IFileTree Open(string path)
    {
        string absolute = Path.GetFullPath(path);
        return OperatingSystem.IsLinux() ? LinuxFileTree.Open(absolute) : PortableFileTree.Open(absolute);
    }

    /// <summary>Where a folder that was opened really is, with no link in its path: asked of the open folder, not of the path.</summary>
    /// <remarks>On systems other than Linux it is the path that was opened.</remarks>
    /// <exception cref="FileSystemException">The system does not say.</exception>
    internal static string RealPathOf(IFileTree tree) => tree is LinuxFileTree linux ? linux.RealPath() : tree.RootPath;

    /// <summary>The status of what an absolute path leads to, links followed; null on systems that know no owners and modes.</summary>
    /// <exception cref="FileSystemException">It cannot be had.</exception>
    internal static FileStatus? StatusOf(string absolutePath) => OperatingSystem.IsLinux() ? LinuxFileTree.StatusOf(FilePath.Parse(absolutePath.Trim('/'))) : null;

    /// <summary>The user that this process acts as (its effective user id); null on systems that know no such number.</summary>
    internal static uint? CurrentUser => OperatingSystem.IsLinux() ? LinuxCalls.EffectiveUser() : null;
}
