using System.Collections;
using System.Management.Automation;
using System.Management.Automation.Language;

namespace NasBackup.Cmdlets.Completion;

/// <summary>Completes the machines that nodes are registered with, and those of earlier commands.</summary>
public sealed class HostCompleter : IArgumentCompleter
{
    /// <inheritdoc/>
    public IEnumerable<CompletionResult> CompleteArgument(
        string commandName, string parameterName, string wordToComplete, CommandAst commandAst, IDictionary fakeBoundParameters)
    {
        IReadOnlyList<CompletionResult> registered = CompletionSource.Ask(fakeBoundParameters, cluster => cluster.GetNodes()
            .Select(node => node.HostName ?? node.Name)
            .Distinct(StringComparer.OrdinalIgnoreCase)
            .Select(host => new CompletionResult(host)));
        return CommandHistory.Offer(wordToComplete, registered.Select(host => host.CompletionText), "HostName");
    }
}
