namespace NasBackup.Cli;

/// <summary>What the runner is asked to do.</summary>
internal enum Request
{
    Usage,
    Version,

    /// <summary>Run one cmdlet with the arguments that follow its name.</summary>
    Cmdlet,

    /// <summary>Run a pipeline given as text.</summary>
    Script,
}

/// <summary>
/// The command line, taken apart as far as that is possible without knowing the cmdlets: see <see cref="ArgumentBinder"/>
/// for the rest.
/// </summary>
/// <param name="Request">What to do.</param>
/// <param name="Json">JSON lines instead of text, on both streams.</param>
/// <param name="Text">The cmdlet's name, or the pipeline's text; empty for the other requests.</param>
/// <param name="Arguments">What follows the cmdlet's name, untouched.</param>
internal sealed record CommandLine(Request Request, bool Json, string Text, IReadOnlyList<string> Arguments)
{
    private const string HelpCmdlet = "Get-Help";

    /// <exception cref="UsageException">An option is unknown, or the pipeline's text is missing.</exception>
    public static CommandLine Parse(IReadOnlyList<string> args)
    {
        var json = false;
        for (var i = 0; i < args.Count; i++)
        {
            var word = args[i];
            string[] rest = [.. args.Skip(i + 1)];
            switch (word.ToLowerInvariant())
            {
                case "--json":
                    json = true;
                    continue;
                case "--version":
                    return new CommandLine(Request.Version, json, "", []);
                case "--help" or "-h" or "-?" or "help" when rest.Length == 0:
                    return new CommandLine(Request.Usage, json, "", []);
                case "--help" or "-h" or "-?" or "help":
                    return new CommandLine(Request.Cmdlet, json, HelpCmdlet, rest);
                case "-command" or "-c":
                    return Script(json, rest);
            }

            if (word.StartsWith('-'))
            {
                throw new UsageException("UnknownOption", $"'{word}' is not an option of nasbackup. See nasbackup --help.", word);
            }

            return rest is ["-?" or "--help"]
                ? new CommandLine(Request.Cmdlet, json, HelpCmdlet, [word])
                : new CommandLine(Request.Cmdlet, json, word, rest);
        }

        return new CommandLine(Request.Usage, json, "", []);
    }

    private static CommandLine Script(bool json, string[] words)
    {
        var text = string.Join(' ', words);
        return string.IsNullOrWhiteSpace(text)
            ? throw new UsageException("CommandMissing", "-Command needs the text of a pipeline, in quotes.")
            : new CommandLine(Request.Script, json, text, []);
    }
}
