using System.Collections;
using System.Management.Automation;
using System.Management.Automation.Language;
using NasBackup.Cmdlets.Parameters;
using NasBackup.Files;

namespace NasBackup.Cmdlets.Completion;

/// <summary>Completes what is in a set, a folder at a time: that of -SetId, else the newest. A word without '/' is a name.</summary>
public sealed class ItemCompleter : IArgumentCompleter
{
    private const int Most = 100;

    /// <inheritdoc/>
    public IEnumerable<CompletionResult> CompleteArgument(
        string commandName, string parameterName, string wordToComplete, CommandAst commandAst, IDictionary fakeBoundParameters)
        => CompletionSource.AskDevice(fakeBoundParameters, device =>
        {
            string word = wordToComplete.Trim('\'', '"');
            string? setId = SetReference.From(fakeBoundParameters["SetId"] ?? fakeBoundParameters["Id"])?.Id
                ?? device.GetSets().Where(set => set.Status is SetStatus.Completed or SetStatus.CompletedWithErrors).MaxBy(set => set.CompletedAt)?.SetId;
            return setId is null ? [] : Matches(device.FindItems(setId, new ItemQuery()), word)
                .DistinctBy(match => match.Text, StringComparer.Ordinal)
                .Take(Most)
                .Select(match => new CompletionResult(
                    CommandHistory.Quote(WildcardPattern.Escape(match.Text)), match.Text, CompletionResultType.ParameterValue, $"{match.Kind}: {match.Text}"));
        });

    private static IEnumerable<(string Text, EntryKind Kind)> Matches(IEnumerable<BackupItem> items, string word)
    {
        foreach (BackupItem item in items)
        {
            string text = word.Contains('/', StringComparison.Ordinal) ? item.Path : item.Name;
            if (text.Length == 0 || !text.StartsWith(word, StringComparison.Ordinal))
            {
                continue;
            }

            int next = text.IndexOf('/', word.Length);
            yield return next < 0 ? (text, item.Kind) : (text[..next], EntryKind.Directory);
        }
    }
}
