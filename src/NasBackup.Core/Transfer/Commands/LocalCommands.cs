using System.Diagnostics;
using System.Text;

namespace NasBackup.Transfer;

/// <summary>Runs programs of this machine. What is run comes from this program or from the node's own settings, never from the share.</summary>
/// <param name="timeout">How long a command may take before it is ended with all that it started.</param>
/// <param name="tell">Told of each command before it runs, and of what it printed.</param>
/// <param name="pulse">Called while a command runs: the node waits rightly, since the command has a timeout of its own.</param>
internal sealed class LocalCommands(TimeSpan timeout, Action<string> tell, Action? pulse = null)
{
    private static readonly TimeSpan Step = TimeSpan.FromMilliseconds(50);

    /// <summary>What a process that was killed, or whose children hold its pipes, is waited for.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);

    /// <summary>Runs a command to its end and returns what it printed.</summary>
    /// <exception cref="CommandFailedException">It could not be started, did not end in time, or failed and may not.</exception>
    /// <exception cref="OperationCanceledException">The node leaves; the command was ended.</exception>
    public CommandResult Run(CommandLine command, CancellationToken cancellation)
    {
        tell($"Running: {command}");
        using Process process = Start(command);
        Task<string> output = Read(process.StandardOutput);
        Task<string> errors = Read(process.StandardError);
        long start = Stopwatch.GetTimestamp();
        while (!process.WaitForExit(Step))
        {
            pulse?.Invoke();
            bool isLate = Stopwatch.GetElapsedTime(start) > timeout;
            if (isLate || cancellation.IsCancellationRequested)
            {
                End(process);
                cancellation.ThrowIfCancellationRequested();
                throw new CommandFailedException(command, $"has not ended within {timeout.TotalSeconds:0.#} s and was killed", hasHung: true);
            }
        }

        Task.WhenAll(output, errors).Wait(Patience, CancellationToken.None);
        var result = new CommandResult(process.ExitCode, Text(output), Text(errors));
        if (result.Said.Length > 0)
        {
            tell($"{command.Program}: {result.Said}");
        }

        return result.ExitCode == 0 || command.MayFail
            ? result
            : throw new CommandFailedException(command, $"ended with exit code {result.ExitCode}{(result.Said.Length > 0 ? $": {result.Said}" : "")}", hasHung: false);
    }

    /// <summary>Runs a query whose failure is an answer too: null where it could not be run or failed.</summary>
    public string? Ask(CommandLine command, CancellationToken cancellation)
    {
        try
        {
            return Run(command, cancellation).Output;
        }
        catch (CommandFailedException)
        {
            return null;
        }
    }

    private static Process Start(CommandLine command)
    {
        var start = new ProcessStartInfo(command.Program, command.Arguments)
        {
            UseShellExecute = false,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            StandardOutputEncoding = Encoding.UTF8,
            StandardErrorEncoding = Encoding.UTF8,
        };
        foreach ((string name, string value) in command.Variables)
        {
            start.Environment[name] = value;
        }

        try
        {
            Process process = Process.Start(start)!;
            process.StandardInput.Close();
            return process;
        }
        catch (Exception e) when (e is System.ComponentModel.Win32Exception or IOException)
        {
            throw new CommandFailedException(command, $"could not be started: {e.Message}", hasHung: false, e);
        }
    }

    /// <summary>Read on threads of the pool: a command that prints much must not block on a full pipe.</summary>
    private static Task<string> Read(StreamReader reader) => Task.Run(async () =>
    {
        var text = new StringBuilder();
        var buffer = new char[4096];
        int count;
        while ((count = await reader.ReadAsync(buffer).ConfigureAwait(false)) > 0)
        {
            lock (text)
            {
                text.Append(buffer, 0, count);
            }
        }

        return text.ToString();
    });

    /// <summary>A child that was left behind may hold the pipe open; then what came so far is not waited for any longer.</summary>
    private static string Text(Task<string> reading) => reading.IsCompletedSuccessfully ? reading.Result : "";

    private static void End(Process process)
    {
        try
        {
            process.Kill(entireProcessTree: true);
            process.WaitForExit(Patience);
        }
        catch (Exception e) when (e is InvalidOperationException or System.ComponentModel.Win32Exception or AggregateException)
        {
            // It has ended just now, or the kernel does not let go of it; nobody can wait for that.
        }
    }
}
