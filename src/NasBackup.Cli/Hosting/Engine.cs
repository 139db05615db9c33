using System.Management.Automation;
using System.Management.Automation.Host;
using System.Management.Automation.Runspaces;
using Microsoft.PowerShell;

namespace NasBackup.Cli.Hosting;

/// <summary>An open runspace of the PowerShell engine with the module imported. Bound to the thread that opened it.</summary>
internal sealed class Engine : IDisposable
{
    private readonly Runspace runspace;

    private Engine(Runspace runspace, PSModuleInfo module)
    {
        this.runspace = runspace;
        Module = module;
    }

    public PSModuleInfo Module { get; }

    /// <param name="host">Where the engine's text goes.</param>
    /// <param name="manifest">The module to import.</param>
    /// <param name="formats">Whether anything will be shown as the engine shows its own types; loading that takes a tenth of the start.</param>
    /// <exception cref="RuntimeException">The module cannot be loaded; the message says why.</exception>
    public static Engine Open(PSHost host, string manifest, bool formats)
    {
        var state = InitialSessionState.CreateDefault2();
        if (OperatingSystem.IsWindows())
        {
            state.ExecutionPolicy = ExecutionPolicy.Bypass; // the module is ours; elsewhere there is no such policy
        }

        if (!formats)
        {
            state.Formats.Clear();
        }

        // What is not imported here does not exist: a mistyped name is answered at once, without a search through all modules.
        state.Variables.Add(new SessionStateVariableEntry("PSModuleAutoLoadingPreference", PSModuleAutoLoadingPreference.None, description: ""));

        var opened = RunspaceFactory.CreateRunspace(host, state);
        try
        {
            opened.ThreadOptions = PSThreadOptions.UseCurrentThread;
            opened.Open();
            Runspace.DefaultRunspace = opened;
            opened.SessionStateProxy.Path.SetLocation(WildcardPattern.Escape(Environment.CurrentDirectory));
            using var import = PowerShell.Create(opened)
                .AddCommand("Import-Module")
                .AddParameter("Name", manifest)
                .AddParameter("PassThru")
                .AddParameter("ErrorAction", ActionPreference.Stop);
            return new Engine(opened, (PSModuleInfo)import.Invoke()[0].BaseObject);
        }
        catch
        {
            opened.Dispose();
            throw;
        }
    }

    /// <summary>A new, empty pipeline. Whoever takes it disposes of it.</summary>
    public PowerShell NewPipeline() => PowerShell.Create(runspace);

    /// <summary>A cmdlet that the runner offers: one that the module exports, or one of the two that explain them.</summary>
    /// <returns>Null where there is none of that name.</returns>
    public CommandInfo? FindCmdlet(string name)
    {
        if (Module.ExportedCommands.TryGetValue(name, out var command))
        {
            return command is AliasInfo alias ? alias.ResolvedCommand : command;
        }

        return string.Equals(name, "Get-Help", StringComparison.OrdinalIgnoreCase)
            || string.Equals(name, "Get-Command", StringComparison.OrdinalIgnoreCase)
            ? runspace.SessionStateProxy.InvokeCommand.GetCommand(name, CommandTypes.Cmdlet)
            : null;
    }

    public void Dispose() => runspace.Dispose();
}
