using System.Collections;
using System.Management.Automation;
using NasBackup.Cmdlets.Pipeline;
using NasBackup.Jobs;

namespace NasBackup.Cmdlets.Completion;

/// <summary>Asks the share for completions: never longer than a person waits for a key, and never with an error.</summary>
internal static class CompletionSource
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(1);

    /// <summary>What the share answers, or nothing.</summary>
    /// <param name="boundParameters">What the command line names already; -Share is looked for.</param>
    /// <param name="ask">The question; it may block or throw.</param>
    public static IReadOnlyList<CompletionResult> Ask(IDictionary? boundParameters, Func<BackupCluster, IEnumerable<CompletionResult>> ask)
    {
        try
        {
            string? share = boundParameters?["Share"]?.ToString() ?? Environment.GetEnvironmentVariable(NasCmdlet.ShareVariable);
            if (string.IsNullOrEmpty(share))
            {
                return [];
            }

            // The share may be on a server that does not answer: then the thread is left behind, not the user.
            var answer = Task.Run(() =>
            {
                using BackupCluster cluster = BackupCluster.Open(share);
                return ask(cluster).ToList();
            });
            return answer.Wait(Patience) ? answer.Result : [];
        }
        catch (Exception)
        {
            return [];
        }
    }

    /// <summary>Whether a value is one that the word may become.</summary>
    public static bool Matches(string word, string value)
    {
        string typed = word.Trim('\'', '"');
        return WildcardPattern.ContainsWildcardCharacters(typed)
            ? WildcardPattern.Get(typed, WildcardOptions.IgnoreCase).IsMatch(value)
            : value.StartsWith(typed, StringComparison.OrdinalIgnoreCase);
    }
}
