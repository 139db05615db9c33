using System.Management.Automation.Runspaces;

namespace NasBackup.Tests.Support;

/// <summary>
/// Another process that the shell's remoting reaches: the engine's own server on a named pipe, with a module folder of its
/// own. What crosses between the two is what crosses between machines.
/// </summary>
internal sealed class RemoteMachine : IDisposable
{
    private readonly string _pipe = $"nasbackup-test-{Guid.NewGuid():N}";
    private readonly string _modules;
    private readonly List<Runspace> _runspaces = [];

    /// <param name="version">Of the module there: null for the one that is tested, "" for none.</param>
    public RemoteMachine(string? version = null)
    {
        _modules = Directory.CreateTempSubdirectory("nasbackup-machine-").FullName;
        string module = Path.Combine(_modules, "NasBackup");
        if (version is null)
        {
            Directory.CreateSymbolicLink(module, Path.GetDirectoryName(ModuleRunspace.ManifestPath)!);
        }
        else if (version.Length > 0)
        {
            Directory.CreateDirectory(module);
            File.WriteAllText(Path.Combine(module, "NasBackup.psd1"), $"@{{ ModuleVersion = '{version}'; GUID = 'b6d0c1a6-6f0e-4c0a-9a3e-5d2b8f4f7c11' }}");
        }

        Server = RunnerProcess.Start(
            new RunnerSettings { Environment = new Dictionary<string, string>(StringComparer.Ordinal) { ["PSModulePath"] = _modules, ["XDG_DATA_HOME"] = _modules } },
            "-Command",
            $"[System.Management.Automation.Remoting.RemoteSessionNamedPipeServer]::CreateCustomNamedPipeServer('{_pipe}'); 'ready'; [Threading.Thread]::Sleep(300000)");
        Server.WaitUntil(server => server.Output.Contains("ready", StringComparison.Ordinal));
    }

    public RunnerProcess Server { get; }

    /// <summary>A session to it, as New-PSSession makes one.</summary>
    public PSSession Connect()
    {
        Runspace runspace = RunspaceFactory.CreateRunspace(new NamedPipeConnectionInfo(_pipe, 20_000));
        _runspaces.Add(runspace);
        runspace.Open();
        return PSSession.Create(runspace, "NamedPipe", null);
    }

    public void Dispose()
    {
        _runspaces.ForEach(runspace => runspace.Dispose());
        Server.Dispose();
        Directory.Delete(_modules, recursive: true);
    }
}
