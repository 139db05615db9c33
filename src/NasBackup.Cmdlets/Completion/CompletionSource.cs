using System.Collections;
using System.Management.Automation;
using NasBackup.Cmdlets.Pipeline;
using NasBackup.Jobs;

namespace NasBackup.Cmdlets.Completion;

/// <summary>Asks share or device for completions: never longer than a person waits for a key, and never with an error.</summary>
internal static class CompletionSource
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(1);

    /// <summary>What the share answers, or nothing.</summary>
    /// <param name="boundParameters">What the command line names already; -Share is looked for.</param>
    /// <param name="ask">The question; it may block or throw.</param>
    public static IReadOnlyList<CompletionResult> Ask(IDictionary? boundParameters, Func<BackupCluster, IEnumerable<CompletionResult>> ask)
        => Patiently(
            boundParameters?["Share"]?.ToString() ?? Environment.GetEnvironmentVariable(NasCmdlet.ShareVariable),
            share =>
            {
                using BackupCluster cluster = BackupCluster.Open(share);
                return [.. ask(cluster)];
            });

    /// <summary>What the device answers, or nothing.</summary>
    /// <param name="boundParameters">What the command line names already; -Device or its alias is looked for.</param>
    /// <param name="ask">The question; it may block or throw.</param>
    public static IReadOnlyList<CompletionResult> AskDevice(IDictionary? boundParameters, Func<BackupDevice, IEnumerable<CompletionResult>> ask)
        => Patiently(
            (boundParameters?["Device"] ?? boundParameters?["Destination"])?.ToString(),
            path =>
            {
                using BackupDevice device = BackupDevice.Open(path);
                return [.. ask(device)];
            });

    /// <summary>Whether a value is one that the word may become.</summary>
    public static bool Matches(string word, string value)
    {
        string typed = word.Trim('\'', '"');
        return WildcardPattern.ContainsWildcardCharacters(typed)
            ? WildcardPattern.Get(typed, WildcardOptions.IgnoreCase).IsMatch(value)
            : value.StartsWith(typed, StringComparison.OrdinalIgnoreCase);
    }

    private static IReadOnlyList<CompletionResult> Patiently(string? folder, Func<string, List<CompletionResult>> ask)
    {
        try
        {
            if (string.IsNullOrEmpty(folder))
            {
                return [];
            }

            string path = Absolute(folder);

            // The folder may be on a server that does not answer: then the thread is left behind, not the user.
            Task<List<CompletionResult>> answer = Task.Run(() => ask(path));
            return answer.Wait(Patience) ? answer.Result : [];
        }
        catch (Exception)
        {
            return [];
        }
    }

    /// <summary>A path as the shell understands it: its location is not that of the process.</summary>
    private static string Absolute(string path)
    {
        using var shell = PowerShell.Create(RunspaceMode.CurrentRunspace);
        return shell
            .AddScript("$ExecutionContext.SessionState.Path.GetUnresolvedProviderPathFromPSPath($args[0])")
            .AddArgument(path)
            .Invoke<string>()
            .Single();
    }
}
