using System.Collections.ObjectModel;
using System.Management.Automation;
using System.Management.Automation.Host;
using System.Management.Automation.Internal;
using System.Security;
using NasBackup.Cli.Output;
using NasBackup.Cli.Progress;

namespace NasBackup.Cli.Hosting;

/// <summary>
/// Where the engine's text and questions go. Formatted objects arrive here as lines, since the engine's own Out-Default
/// makes tables and lists of them through the module's views.
/// </summary>
internal sealed class RunnerUserInterface(Terminal terminal, Messages messages, IProgressView progress, bool json)
    : PSHostUserInterface
{
    private readonly Questions questions = new(terminal);

    public override PSHostRawUserInterface RawUI { get; } = new RunnerRawUserInterface(terminal);

    public override bool SupportsVirtualTerminal => terminal.OutputIsTerminal && Terminal.AllowsColour;

    public override void Write(string value)
    {
        if (json)
        {
            messages.Information(value);
        }
        else
        {
            terminal.Write(SupportsVirtualTerminal ? value : new StringDecorated(value).ToString(OutputRendering.PlainText));
        }
    }

    public override void Write(ConsoleColor foregroundColor, ConsoleColor backgroundColor, string value) => Write(value);

    public override void WriteLine(string value) => Write(json ? value : value + "\n");

    public override void WriteErrorLine(string value) => messages.Information(value);

    public override void WriteWarningLine(string message) => messages.Warning(message);

    public override void WriteVerboseLine(string message) => messages.Verbose(message);

    public override void WriteDebugLine(string message) => messages.Debug(message);

    public override void WriteProgress(long sourceId, ProgressRecord record) => progress.Update(record);

    public override int PromptForChoice(string caption, string message, Collection<ChoiceDescription> choices, int defaultChoice) =>
        questions.Choose(caption, message, choices, defaultChoice);

    /// <summary>Missing parameters are wrong usage, so nobody is asked for them: the engine reports them instead.</summary>
    public override Dictionary<string, PSObject> Prompt(string caption, string message, Collection<FieldDescription> descriptions) =>
        throw new HostException("nasbackup does not ask for missing parameters.");

    public override string ReadLine() => questions.ReadLine();

    public override SecureString ReadLineAsSecureString() => questions.ReadSecret();

    public override PSCredential PromptForCredential(string caption, string message, string userName, string targetName) =>
        throw new HostException("nasbackup does not ask for credentials.");

    public override PSCredential PromptForCredential(
        string caption,
        string message,
        string userName,
        string targetName,
        PSCredentialTypes allowedCredentialTypes,
        PSCredentialUIOptions options) => PromptForCredential(caption, message, userName, targetName);
}
