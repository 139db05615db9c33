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
}
