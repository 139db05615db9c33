using System.Collections;
using System.Management.Automation;
using System.Management.Automation.Runspaces;

namespace NasBackup.Tests.Support;

/// <summary>What one pipeline left behind.</summary>
internal sealed record Outcome(
    IReadOnlyList<PSObject> Output,
    IReadOnlyList<ErrorRecord> Errors,
    IReadOnlyList<string> Warnings,
    IReadOnlyList<string> Verbose,
    IReadOnlyList<ProgressRecord> Progress)
{
    /// <summary>The error's id without the command's name behind it; of the only error there is.</summary>
    public string ErrorId => Assert.Single(Errors).FullyQualifiedErrorId.Split(',')[0];

    /// <summary>The only object that came out, after no error.</summary>
    public T Single<T>()
    {
        Assert.Empty(Errors);
        return (T)Assert.Single(Output).BaseObject;
    }
}

/// <summary>The engine of the shell in this process, with the module imported from its manifest as users do.</summary>
internal sealed class ModuleRunspace : IDisposable
{
    private readonly Runspace _runspace;

    public ModuleRunspace()
    {
        InitialSessionState state = InitialSessionState.CreateDefault2();
        state.ThrowOnRunspaceOpenError = true;
        state.Commands.Add(new SessionStateCmdletEntry("Format-Table", typeof(FormatTableTestCommand), helpFileName: null));
        state.Commands.Add(new SessionStateCmdletEntry("Format-List", typeof(FormatListTestCommand), helpFileName: null));
        state.ImportPSModule(ManifestPath);
        _runspace = RunspaceFactory.CreateRunspace(Host, state);
        _runspace.Open();
    }

    /// <summary>module/NasBackup.psd1 of this repository.</summary>
    public static string ManifestPath { get; } = FindManifest();

    public CapturingHost Host { get; } = new();

    public Runspace Runspace => _runspace;

    /// <summary>Runs one cmdlet; values of the table are its parameters. Errors that end it are among the errors.</summary>
    public Outcome Run(string cmdlet, Hashtable? parameters = null, params object[] input)
        => Invoke(shell => shell.AddCommand(cmdlet).AddParameters(parameters ?? []), input);

    /// <summary>Runs text of the shell; $args[0] and so on are the arguments.</summary>
    public Outcome RunScript(string script, params object[] arguments)
        => Invoke(shell =>
        {
            shell.AddScript(script);
            foreach (object argument in arguments)
            {
                shell.AddArgument(argument);
            }
        });

    /// <summary>What the shell would print of objects on its screen of 80 columns.</summary>
    /// <param name="objects">The objects.</param>
    /// <param name="shape">Format-Table or Format-List; what the first view of the type is where not given.</param>
    /// <param name="colours">Whether the shell renders colours.</param>
    public string Print(IReadOnlyList<object> objects, string? shape = null, bool colours = false)
    {
        Host.Clear();
        Invoke(shell => shell.AddScript($"$PSStyle.OutputRendering = '{(colours ? "Ansi" : "PlainText")}'"));
        Outcome outcome = Invoke(
            shell => (shape is null ? shell : shell.AddCommand(shape)).AddCommand("Out-Default"),
            objects);
        Assert.Empty(outcome.Errors);
        return Host.Printed;
    }

    public void Dispose() => _runspace.Dispose();

    public Outcome Invoke(Action<PowerShell> build, IEnumerable<object>? input = null)
    {
        using var shell = PowerShell.Create(_runspace);
        build(shell);
        var output = new PSDataCollection<PSObject>();
        var errors = new List<ErrorRecord>();
        try
        {
            shell.Invoke(input, output);
        }
        catch (RuntimeException e)
        {
            errors.Add(e.ErrorRecord);
        }

        // An error that ended the pipeline may be on the stream already.
        foreach (ErrorRecord record in shell.Streams.Error)
        {
            if (!errors.Exists(known => ReferenceEquals(known.Exception, record.Exception)))
            {
                errors.Add(record);
            }
        }

        return new Outcome(
            [.. output],
            errors,
            [.. shell.Streams.Warning.Select(record => record.Message)],
            [.. shell.Streams.Verbose.Select(record => record.Message)],
            [.. shell.Streams.Progress]);
    }

    private static string FindManifest()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            string manifest = Path.Combine(folder.FullName, "module", "NasBackup.psd1");
            if (File.Exists(manifest) && Directory.Exists(Path.Combine(folder.FullName, "src")))
            {
                return manifest;
            }
        }

        throw new FileNotFoundException("module/NasBackup.psd1 is not above " + AppContext.BaseDirectory);
    }
}
