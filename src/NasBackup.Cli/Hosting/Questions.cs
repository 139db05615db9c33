using System.Collections.ObjectModel;
using System.Management.Automation;
using System.Management.Automation.Host;
using System.Security;
using NasBackup.Cli.Output;

namespace NasBackup.Cli.Hosting;

/// <summary>Asks the person at the terminal, on stderr so that stdout stays clean; an error where there is nobody to ask.</summary>
internal sealed class Questions(Terminal terminal)
{
    // The engine offers it always, but here is no prompt that one could go to meanwhile.
    private const string Suspend = "&Suspend";

    /// <returns>The index of the choice; Enter, and the end of input, take the default.</returns>
    /// <exception cref="HostException">There is no terminal.</exception>
    public int Choose(string caption, string message, Collection<ChoiceDescription> choices, int defaultChoice)
    {
        if (!terminal.IsInteractive)
        {
            throw new HostException(
                $"{message.TrimEnd()} Nobody can be asked here: give -Confirm:$false to go ahead without a question.",
                innerException: null,
                "ConfirmationNeeded",
                ErrorCategory.ResourceUnavailable);
        }

        var hotkeys = choices.Select(static choice => Hotkey(choice.Label)).ToList();
        var options = string.Join("  ", choices
            .Where(static choice => choice.Label != Suspend)
            .Select(static choice => $"[{Hotkey(choice.Label)}] {choice.Label.Replace("&", "", StringComparison.Ordinal)}"));
        return terminal.WithoutOverlay(() =>
        {
            terminal.WriteError($"{caption}\n{message}\n");
            while (true)
            {
                terminal.WriteError($"{options} (default is \"{hotkeys[defaultChoice]}\"): ");
                var answer = Console.In.ReadLine()?.Trim() ?? "";
                if (answer.Length == 0)
                {
                    return defaultChoice;
                }

                var index = hotkeys.FindIndex(hotkey => string.Equals(hotkey, answer, StringComparison.OrdinalIgnoreCase));
                if (index >= 0)
                {
                    return index;
                }
            }
        });
    }

    /// <exception cref="HostException">There is no terminal.</exception>
    public string ReadLine()
    {
        DemandTerminal();
        return terminal.WithoutOverlay(static () => Console.In.ReadLine() ?? "");
    }

    /// <summary>Reads a line that is not shown.</summary>
    /// <exception cref="HostException">There is no terminal.</exception>
    public SecureString ReadSecret()
    {
        DemandTerminal();
        return terminal.WithoutOverlay(() =>
        {
            var secret = new SecureString();
            while (Console.ReadKey(intercept: true) is { Key: not ConsoleKey.Enter } key)
            {
                if (key.Key != ConsoleKey.Backspace)
                {
                    secret.AppendChar(key.KeyChar);
                }
                else if (secret.Length > 0)
                {
                    secret.RemoveAt(secret.Length - 1);
                }
            }

            terminal.WriteError("\n");
            secret.MakeReadOnly();
            return secret;
        });
    }

    private void DemandTerminal()
    {
        if (!terminal.IsInteractive)
        {
            throw new HostException("Nobody can be asked here: there is no terminal.");
        }
    }

    /// <summary>The letter after the ampersand of a label; the whole label where there is none.</summary>
    private static string Hotkey(string label)
    {
        var mark = label.IndexOf('&', StringComparison.Ordinal);
        return mark >= 0 && mark + 1 < label.Length ? label.Substring(mark + 1, 1).ToUpperInvariant() : label;
    }
}
