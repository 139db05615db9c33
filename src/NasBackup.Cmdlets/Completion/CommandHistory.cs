using System.Collections.ObjectModel;
using System.Management.Automation;
using System.Management.Automation.Language;

namespace NasBackup.Cmdlets.Completion;

/// <summary>What earlier commands of this module gave for a parameter.</summary>
internal static class CommandHistory
{
    private const int MostLines = 2000;

    // PSReadLine keeps the lines of earlier sessions; where it is not loaded there is this session's history.
    private const string ReadLines = """
        if ('Microsoft.PowerShell.PSConsoleReadLine' -as [type]) { foreach ($item in [Microsoft.PowerShell.PSConsoleReadLine]::GetHistoryItems()) { $item.CommandLine } }
        foreach ($item in Get-History) { $item.CommandLine }
        """;

    /// <summary>The values that the word may become: what is known first, then those of earlier commands, the latest first.</summary>
    /// <param name="word">What has been typed.</param>
    /// <param name="known">Other values.</param>
    /// <param name="parameters">The parameter and its other names.</param>
    public static IEnumerable<CompletionResult> Offer(string? word, IEnumerable<string> known, params string[] parameters)
        => known.Concat(Values(parameters))
            .Distinct(StringComparer.Ordinal)
            .Where(value => CompletionSource.Matches(word ?? "", value))
            .Select(value => new CompletionResult(Quote(value), value, CompletionResultType.ParameterValue, value));

    private static IEnumerable<string> Values(string[] parameters)
    {
        foreach (string line in Lines().Where(line => line.Contains("-Nas", StringComparison.OrdinalIgnoreCase)).TakeLast(MostLines).Reverse())
        {
            foreach (CommandAst command in Parser.ParseInput(line, out _, out _).FindAll(static node => node is CommandAst, searchNestedScriptBlocks: true).Cast<CommandAst>())
            {
                foreach (string value in Values(command.CommandElements, parameters))
                {
                    yield return value;
                }
            }
        }
    }

    private static IEnumerable<string> Values(ReadOnlyCollection<CommandElementAst> elements, string[] parameters)
    {
        for (int i = 0; i < elements.Count; i++)
        {
            if (elements[i] is CommandParameterAst parameter
                && parameters.Contains(parameter.ParameterName, StringComparer.OrdinalIgnoreCase)
                && (parameter.Argument ?? (i + 1 < elements.Count ? elements[i + 1] : null)) is StringConstantExpressionAst text)
            {
                yield return text.Value;
            }
        }
    }

    private static List<string> Lines()
    {
        try
        {
            using var shell = PowerShell.Create(RunspaceMode.CurrentRunspace);
            return [.. shell.AddScript(ReadLines).Invoke<string>()];
        }
        catch (RuntimeException)
        {
            // Without history there is nothing to offer.
            return [];
        }
    }

    internal static string Quote(string value) => value.All(static letter => char.IsLetterOrDigit(letter) || "/\\:._-~+".Contains(letter, StringComparison.Ordinal))
        ? value
        : $"'{CodeGeneration.EscapeSingleQuotedStringContent(value)}'";
}
