using System.Runtime.InteropServices;

namespace NasBackup.Cli.Output;

/// <summary>
/// .NET's console stream drops output silently when the reader of a pipe has gone, and the work would go on for nobody
/// (<c>nasbackup Get-NasBackupLog | head</c>). The kernel still knows.
/// </summary>
internal static partial class BrokenPipe
{
    private const int StandardOutput = 1;
    private const short PollError = 0x8; // POLLERR: the same on Linux and macOS

    private static readonly bool applies = !OperatingSystem.IsWindows() && Console.IsOutputRedirected;

    /// <summary>Whether stdout is a pipe that nobody will read any more. Never blocks.</summary>
    public static bool IsOutputBroken()
    {
        if (!applies)
        {
            return false;
        }

        var descriptor = new PollDescriptor { Descriptor = StandardOutput };
        return Poll(ref descriptor, 1, timeoutMilliseconds: 0) > 0 && (descriptor.Returned & PollError) != 0;
    }

    [LibraryImport("libc", EntryPoint = "poll")]
    private static partial int Poll(ref PollDescriptor descriptors, nuint count, int timeoutMilliseconds);

    [StructLayout(LayoutKind.Sequential)]
    private struct PollDescriptor
    {
        public int Descriptor;
        public short Requested;
        public short Returned;
    }
}
