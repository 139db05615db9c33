using System.Text.Json;

namespace NasBackup.Cli.Output;

/// <summary>Everything that is said on stderr beside progress: a line each, as text or as a JSON object.</summary>
internal sealed class Messages(Terminal terminal, bool json)
{
    private const string Red = "31";
    private const string Yellow = "33";
    private const string Grey = "90";

    public void Error(Problem problem)
    {
        if (json)
        {
            Line(writer =>
            {
                writer.WriteString("ErrorId", problem.ErrorId);
                writer.WriteString("Message", problem.Message);
                writer.WritePropertyName("Target");
                JsonOutput.WriteValue(writer, problem.Target, depth: JsonOutput.Depth - 1);
            });
            return;
        }

        var source = problem.Command.Length > 0 ? problem.Command + ": " : "";
        Line(Red, $"{source}{problem.Message} ({problem.ErrorId})");
    }

    public void Warning(string text) => Say("Warning", Yellow, text);

    public void Verbose(string text) => Say("Verbose", Grey, text);

    public void Debug(string text) => Say("Debug", Grey, text);

    /// <summary>Text for the person at the terminal that belongs to no stream, such as what -WhatIf says, kept off a stdout of JSON lines.</summary>
    public void Information(string text)
    {
        if (json)
        {
            Line(writer => writer.WriteString("Information", text));
        }
        else
        {
            terminal.WriteError(text + "\n");
        }
    }

    private void Say(string kind, string colour, string text)
    {
        if (json)
        {
            Line(writer => writer.WriteString(kind, text));
        }
        else
        {
            Line(colour, $"{kind}: {text}");
        }
    }

    private void Line(Action<Utf8JsonWriter> members) => terminal.WriteError(JsonOutput.Object(members) + "\n");

    private void Line(string colour, string text) => terminal.WriteError(
        terminal.ErrorIsTerminal && Terminal.AllowsColour ? $"\e[{colour}m{text}\e[0m\n" : text + "\n");
}
