using System.Collections;
using System.Management.Automation;
using System.Management.Automation.Language;
using NasBackup.Cmdlets.Pipeline;

namespace NasBackup.Cmdlets.Completion;

/// <summary>Offers the share that the environment names; the shell completes folders where that does not fit.</summary>
public sealed class ShareCompleter : IArgumentCompleter
{
    /// <inheritdoc/>
    public IEnumerable<CompletionResult> CompleteArgument(
        string commandName, string parameterName, string wordToComplete, CommandAst commandAst, IDictionary fakeBoundParameters)
    {
        string? share = Environment.GetEnvironmentVariable(NasCmdlet.ShareVariable);
        if (!string.IsNullOrEmpty(share) && CompletionSource.Matches(wordToComplete ?? "", share))
        {
            string quoted = share.Contains(' ', StringComparison.Ordinal) ? $"'{share.Replace("'", "''", StringComparison.Ordinal)}'" : share;
            yield return new CompletionResult(quoted, share, CompletionResultType.ParameterValue, $"{share} ($env:{NasCmdlet.ShareVariable})");
        }
    }
}
