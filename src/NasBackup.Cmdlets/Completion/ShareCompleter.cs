using System.Collections;
using System.Management.Automation;
using System.Management.Automation.Language;
using NasBackup.Cmdlets.Pipeline;

namespace NasBackup.Cmdlets.Completion;

/// <summary>Offers the share that the environment names and those of earlier commands; the shell completes folders where none fits.</summary>
public sealed class ShareCompleter : IArgumentCompleter
{
    /// <inheritdoc/>
    public IEnumerable<CompletionResult> CompleteArgument(
        string commandName, string parameterName, string wordToComplete, CommandAst commandAst, IDictionary fakeBoundParameters)
    {
        string? share = Environment.GetEnvironmentVariable(NasCmdlet.ShareVariable);
        IEnumerable<string> known = string.IsNullOrEmpty(share) ? [] : [share];
        return CommandHistory.Offer(wordToComplete, known, "Share");
    }
}
