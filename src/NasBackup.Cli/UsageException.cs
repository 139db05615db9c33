namespace NasBackup.Cli;

/// <summary>The command line cannot be carried out as it stands. Ends the process with <see cref="ExitCode.Usage"/>.</summary>
internal sealed class UsageException(string errorId, string message, object? target = null) : Exception(message)
{
    /// <summary>The stable id of the problem.</summary>
    public string ErrorId { get; } = errorId;

    /// <summary>The word on the command line that is wrong, where there is one.</summary>
    public object? Target { get; } = target;
}
