using System.Globalization;
using System.Management.Automation.Host;

namespace NasBackup.Cli.Hosting;

/// <summary>The engine's view of the process that hosts it.</summary>
internal sealed class RunnerHost(RunnerUserInterface userInterface) : PSHost
{
    public override string Name => "nasbackup";

    public override Version Version { get; } = typeof(RunnerHost).Assembly.GetName().Version!;

    public override Guid InstanceId { get; } = Guid.NewGuid();

    public override CultureInfo CurrentCulture => CultureInfo.CurrentCulture;

    public override CultureInfo CurrentUICulture => CultureInfo.CurrentUICulture;

    public override PSHostUserInterface UI => userInterface;

    /// <summary>What a pipeline asked for with <c>exit</c>, if it did.</summary>
    public int? RequestedExitCode { get; private set; }

    public override void SetShouldExit(int exitCode) => RequestedExitCode = exitCode;

    public override void EnterNestedPrompt()
    {
        // There is no prompt to go to: whoever asked is asked again.
    }

    public override void ExitNestedPrompt()
    {
    }

    public override void NotifyBeginApplication()
    {
    }

    public override void NotifyEndApplication()
    {
    }
}
