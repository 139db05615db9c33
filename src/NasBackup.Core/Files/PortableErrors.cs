using System.Security;

namespace NasBackup.Files;

/// <summary>What the exceptions of System.IO mean to the engine.</summary>
internal static class PortableErrors
{
    private const int Win32 = unchecked((int)0x80070000);

    /// <summary>Whether it is a failure of the file system, and not of this program.</summary>
    internal static bool IsFileProblem(Exception exception)
        => exception is IOException and not FileSystemException or UnauthorizedAccessException or SecurityException or NotSupportedException;

    /// <summary>The exception for one of System.IO, with its words.</summary>
    internal static FileSystemException ToException(Exception exception, string action, string path)
        => new(ToProblem(exception), action, path, exception.Message, exception);

    private static FileProblem ToProblem(Exception exception) => exception switch
    {
        FileNotFoundException or DirectoryNotFoundException or DriveNotFoundException => FileProblem.NotFound,
        PathTooLongException => FileProblem.NameTooLong,
        UnauthorizedAccessException or SecurityException => FileProblem.AccessDenied,
        NotSupportedException => FileProblem.NotSupported,
        _ when (exception.HResult & 0xFFFF0000) == unchecked((uint)Win32) => FromWindows(exception.HResult & 0xFFFF),
        _ => OperatingSystem.IsLinux() ? LinuxErrors.ToProblem(exception.HResult) : FromMac(exception.HResult),
    };

    private static FileProblem FromWindows(int error) => error switch
    {
        2 or 3 => FileProblem.NotFound,
        5 or 32 or 33 => FileProblem.AccessDenied,                   // denied, sharing or lock violation
        4 => FileProblem.TooManyOpenFiles,
        17 => FileProblem.CrossesFileSystems,
        19 => FileProblem.ReadOnly,                                  // write protected
        23 or 1117 => FileProblem.InputOutput,                       // CRC, I/O device error
        39 or 112 or 1295 => FileProblem.NoSpace,                    // disk full, quota
        50 or 1 => FileProblem.NotSupported,
        80 or 183 => FileProblem.AlreadyExists,
        145 => FileProblem.DirectoryNotEmpty,
        206 => FileProblem.NameTooLong,
        267 => FileProblem.NotADirectory,
        1142 => FileProblem.TooManyLinks,
        21 or 53 or 55 or 59 or 64 or 67 or 121 or 1231 => FileProblem.Stale, // not ready, network path or name gone, time out
        _ => FileProblem.Other,
    };

    private static FileProblem FromMac(int error) => error switch
    {
        2 => FileProblem.NotFound,
        1 or 13 => FileProblem.AccessDenied,
        5 => FileProblem.InputOutput,
        17 => FileProblem.AlreadyExists,
        18 => FileProblem.CrossesFileSystems,
        20 => FileProblem.NotADirectory,
        21 => FileProblem.IsADirectory,
        23 or 24 => FileProblem.TooManyOpenFiles,
        28 or 69 => FileProblem.NoSpace,
        30 => FileProblem.ReadOnly,
        31 => FileProblem.TooManyLinks,
        45 or 102 => FileProblem.NotSupported,
        62 => FileProblem.LinkInPath,
        63 => FileProblem.NameTooLong,
        66 => FileProblem.DirectoryNotEmpty,
        19 or 57 or 60 or 64 or 70 => FileProblem.Stale,
        _ => FileProblem.Other,
    };
}
