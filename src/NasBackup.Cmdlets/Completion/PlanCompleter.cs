using System.Collections;
using System.Management.Automation;
using System.Management.Automation.Language;
using NasBackup.Cmdlets.Views;

namespace NasBackup.Cmdlets.Completion;

/// <summary>Completes the ids of the plans on the share, the newest first.</summary>
public sealed class PlanCompleter : IArgumentCompleter
{
    /// <inheritdoc/>
    public IEnumerable<CompletionResult> CompleteArgument(
        string commandName, string parameterName, string wordToComplete, CommandAst commandAst, IDictionary fakeBoundParameters)
        => CompletionSource.Ask(fakeBoundParameters, cluster => cluster.GetPlans()
            .Where(plan => CompletionSource.Matches(wordToComplete, plan.Id))
            .OrderByDescending(plan => plan.Id, StringComparer.Ordinal)
            .Select(plan => new CompletionResult(
                plan.Id,
                $"{plan.Id} {plan.Status}",
                CompletionResultType.ParameterValue,
                $"{plan.Status}: {ViewText.List(plan.Path)} to {plan.Destination}")));
}
