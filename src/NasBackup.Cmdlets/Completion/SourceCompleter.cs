using System.Collections;
using System.Management.Automation;
using System.Management.Automation.Language;
using NasBackup.Cmdlets.Views;

namespace NasBackup.Cmdlets.Completion;

/// <summary>Completes the sources that there are sets of on the device.</summary>
public sealed class SourceCompleter : IArgumentCompleter
{
    /// <inheritdoc/>
    public IEnumerable<CompletionResult> CompleteArgument(
        string commandName, string parameterName, string wordToComplete, CommandAst commandAst, IDictionary fakeBoundParameters)
        => CompletionSource.AskDevice(fakeBoundParameters, device => device.GetSets()
            .SelectMany(set => set.Path)
            .Where(path => CompletionSource.Matches(wordToComplete, path))
            .CountBy(path => path, StringComparer.Ordinal)
            .OrderBy(source => source.Key, StringComparer.Ordinal)
            .Select(source => new CompletionResult(
                CommandHistory.Quote(WildcardPattern.Escape(source.Key)),
                source.Key,
                CompletionResultType.ParameterValue,
                $"{source.Key}: {Humanize.Count(source.Value)} {(source.Value == 1 ? "set" : "sets")}")));
}
