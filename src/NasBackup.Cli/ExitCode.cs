namespace NasBackup.Cli;

/// <summary>What the process tells its caller; the same for every cmdlet.</summary>
internal static class ExitCode
{
    /// <summary>All went well. Nodes that failed and were taken over do not change that.</summary>
    public const int Success = 0;

    /// <summary>An error was reported, or the work stopped before its end.</summary>
    public const int Error = 1;

    /// <summary>The work is complete, but some entries could not be backed up, verified or restored.</summary>
    public const int CompletedWithErrors = 2;

    /// <summary>The command line itself is wrong; nothing was done (EX_USAGE of sysexits.h).</summary>
    public const int Usage = 64;

    /// <summary>Ended by a signal: 128 and its number, as shells report it (130 for Ctrl+C, 143 for SIGTERM).</summary>
    /// <param name="signal">The signal's number.</param>
    public static int FromSignal(int signal) => 128 + signal;
}
