using System.Collections;
using System.Management.Automation;
using System.Management.Automation.Language;
using NasBackup.Cmdlets.Views;

namespace NasBackup.Cmdlets.Completion;

/// <summary>Completes the ids of the sets on the device, the newest first.</summary>
public sealed class SetCompleter : IArgumentCompleter
{
    /// <inheritdoc/>
    public IEnumerable<CompletionResult> CompleteArgument(
        string commandName, string parameterName, string wordToComplete, CommandAst commandAst, IDictionary fakeBoundParameters)
        => CompletionSource.AskDevice(fakeBoundParameters, device => device.GetSets()
            .Where(set => CompletionSource.Matches(wordToComplete, set.SetId))
            .OrderByDescending(set => set.SetId, StringComparer.Ordinal)
            .Select(set => new CompletionResult(
                set.SetId,
                $"{set.SetId} {set.Status}",
                CompletionResultType.ParameterValue,
                $"{set.Status}: {ViewText.List(set.Path)}, {Humanize.Entries(set.Entries)}, {Humanize.Size(set.Bytes)}")));
}
