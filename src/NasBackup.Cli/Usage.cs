using System.Text;

namespace NasBackup.Cli;

/// <summary>What <c>nasbackup --help</c> prints.</summary>
internal static class Usage
{
    /// <param name="cmdlets">The cmdlets that the module exports; empty where it cannot be read.</param>
    public static string Text(IReadOnlyList<string> cmdlets)
    {
        var text = new StringBuilder("""
            Backs up network storage with several nodes at once.

            Usage:
              nasbackup [--json] CMDLET -Parameter value ...   run one cmdlet
              nasbackup [--json] -Command "PIPELINE"           run a pipeline of PowerShell
              nasbackup help CMDLET [-Full]                    explain a cmdlet
              nasbackup --version

            Values of list parameters are split at commas (a comma itself is ,,).
            --json prints objects as JSON lines on stdout, errors as JSON lines on stderr;
            durations are seconds, sizes are bytes.

            Exit codes: 0 all well, 1 error or stopped, 2 completed but some entries failed,
            64 wrong usage, 130 after Ctrl+C, 143 after SIGTERM.

            """);
        if (cmdlets.Count > 0)
        {
            text.Append("\nCmdlets:\n");
            foreach (var name in cmdlets)
            {
                text.Append("  ").Append(name).Append('\n');
            }
        }

        return text.ToString();
    }
}
