using System.Runtime.InteropServices;

namespace NasBackup.Tests.Support;

/// <summary>Signals of Unix, for <see cref="RunnerProcess.Signal"/>.</summary>
public static class Signals
{
    public const int Interrupt = 2;
    public const int KillAtOnce = 9;
    public const int Terminate = 15;

    /// <summary>SIGSTOP: the process is held as a paused virtual machine is, without noticing.</summary>
    public static int Stop { get; } = OperatingSystem.IsMacOS() ? 17 : 19;

    /// <summary>SIGCONT: the process goes on.</summary>
    public static int Continue { get; } = OperatingSystem.IsMacOS() ? 19 : 18;

    [DllImport("libc", EntryPoint = "kill")]
    internal static extern int Kill(int processId, int signal);
}
