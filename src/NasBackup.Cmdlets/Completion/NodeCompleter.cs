using System.Collections;
using System.Management.Automation;
using System.Management.Automation.Language;
using NasBackup.Cmdlets.Views;

namespace NasBackup.Cmdlets.Completion;

/// <summary>Completes the names of the nodes that are registered on the share.</summary>
public sealed class NodeCompleter : IArgumentCompleter
{
    /// <inheritdoc/>
    public IEnumerable<CompletionResult> CompleteArgument(
        string commandName, string parameterName, string wordToComplete, CommandAst commandAst, IDictionary fakeBoundParameters)
        => CompletionSource.Ask(fakeBoundParameters, cluster => cluster.GetNodes()
            .Where(node => CompletionSource.Matches(wordToComplete, node.Name))
            .Select(node => new CompletionResult(
                node.Name, node.Name, CompletionResultType.ParameterValue, $"{node.Name}, {Humanize.Rate(node.EffectiveSpeed)}")));
}
