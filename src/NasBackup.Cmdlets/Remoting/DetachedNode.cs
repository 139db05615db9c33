using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;

namespace NasBackup.Cmdlets.Remoting;

/// <summary>What a node's run is started with.</summary>
internal sealed record NodeStart(string Share, string PlanId, string Node, int Workers, long? MaxBytesPerSecond, bool AllowInsecureShare, bool Join = false);

/// <summary>
/// Starts a node's run as a process that belongs to no session: over SSH everything inside a session dies with it. The
/// process has a session and a log of its own; what becomes of it is seen on the share.
/// </summary>
/// <param name="manifest">The module's manifest, which the process imports.</param>
internal sealed class DetachedNode(string manifest)
{
    /// <summary>Its own session where there is setsid, deaf to hang-ups, nothing of the caller's streams left open; prints the process id.</summary>
    private const string Detach = """
        umask 077; log=$1; shift
        if command -v setsid >/dev/null 2>&1; then set -- setsid "$@"; fi
        nohup "$@" </dev/null >>"$log" 2>&1 &
        echo $!
        """;

    /// <summary>Returns as soon as the process has been started.</summary>
    /// <exception cref="BackupException">NodeNotStarted.</exception>
    public NodeProcess Start(NodeStart start)
    {
        string log = Path.Combine(LogFolder(), $"{start.PlanId}.{start.Node}.log");
        (string program, string[] arguments) = CommandFor(start);
        try
        {
            return new NodeProcess
            {
                Node = start.Node,
                PlanId = start.PlanId,
                Share = start.Share,
                Host = Environment.MachineName,
                ProcessId = OperatingSystem.IsWindows() ? StartHidden(program, arguments) : StartInOwnSession(program, arguments, log),
                LogPath = log,
            };
        }
        catch (Exception e) when (e is Win32Exception or IOException or InvalidOperationException)
        {
            throw NotStarted(start.Node, $"'{program}' could not be started: {e.Message}", e);
        }
    }

    /// <summary>The shell or the runner that this is; where it is neither, the runner beside the module, else the shell on the path.</summary>
    private (string Program, string[] Arguments) CommandFor(NodeStart start)
    {
        string self = Environment.ProcessPath ?? "";
        string name = Path.GetFileNameWithoutExtension(self);
        string assembly = Environment.GetCommandLineArgs()[0];
        string suffix = OperatingSystem.IsWindows() ? ".exe" : "";
        string beside = Path.Combine(Path.GetDirectoryName(Path.GetDirectoryName(manifest)!)!, "nasbackup" + suffix);
        return name.Equals("nasbackup", StringComparison.OrdinalIgnoreCase) ? (self, ForRunner(start))
            : name.Equals("pwsh", StringComparison.OrdinalIgnoreCase) ? (self, ForShell(start))
            // The shell as a tool of .NET: its process is dotnet, and no pwsh need be on the path.
            : name.Equals("dotnet", StringComparison.OrdinalIgnoreCase) && Path.GetFileName(assembly).Equals("pwsh.dll", StringComparison.OrdinalIgnoreCase) ? (self, [Path.GetFullPath(assembly), .. ForShell(start)])
            : File.Exists(beside) ? (beside, ForRunner(start))
            : ("pwsh" + suffix, ForShell(start));
    }

    private static string[] ForRunner(NodeStart start)
        => ["Start-NasNodeBackup", .. Parameters(start).SelectMany(pair => new[] { "-" + pair.Name, pair.Value.Replace(",", ",,", StringComparison.Ordinal) }), .. Switches(start)];

    private string[] ForShell(NodeStart start)
    {
        string parameters = string.Join(' ', Parameters(start).Select(pair => $"-{pair.Name} {Quote(pair.Value)}"));
        return ["-NoProfile", "-NonInteractive", "-NoLogo", "-Command", $"Import-Module {Quote(manifest)}; Start-NasNodeBackup {parameters} {string.Join(' ', Switches(start))}"];
    }

    private static string[] Switches(NodeStart start)
        => [.. start.AllowInsecureShare ? ["-AllowInsecureShare"] : Array.Empty<string>(), .. start.Join ? ["-Join"] : Array.Empty<string>(), "-Verbose"];

    private static IEnumerable<(string Name, string Value)> Parameters(NodeStart start)
    {
        yield return ("Share", start.Share);
        yield return ("PlanId", start.PlanId);
        yield return ("Node", start.Node);
        if (start.Workers > 0)
        {
            yield return ("Workers", start.Workers.ToString(CultureInfo.InvariantCulture));
        }

        if (start.MaxBytesPerSecond is { } limit)
        {
            yield return ("MaxBytesPerSecond", limit.ToString(CultureInfo.InvariantCulture));
        }
    }

    private static int StartInOwnSession(string program, string[] arguments, string log)
    {
        var start = new ProcessStartInfo("/bin/sh", ["-c", Detach, "sh", log, program, .. arguments])
        {
            UseShellExecute = false,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            WorkingDirectory = "/",
        };
        using Process shell = Process.Start(start)!;
        shell.StandardInput.Close();
        string id = shell.StandardOutput.ReadToEnd().Trim();
        shell.WaitForExit();
        return int.TryParse(id, NumberStyles.None, CultureInfo.InvariantCulture, out int processId)
            ? processId
            : throw new InvalidOperationException($"the system's shell ended with exit code {shell.ExitCode}");
    }

    private static int StartHidden(string program, string[] arguments)
    {
        using Process process = Process.Start(new ProcessStartInfo(program, arguments) { UseShellExecute = true, WindowStyle = ProcessWindowStyle.Hidden })!;
        return process.Id;
    }

    /// <summary>/var/log/nasbackup for root; else in the user's own folder.</summary>
    private static string LogFolder()
    {
        foreach (string folder in (string[])[
            .. OperatingSystem.IsWindows() ? [] : new[] { "/var/log/nasbackup" },
            Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.LocalApplicationData, Environment.SpecialFolderOption.Create), "nasbackup", "logs")])
        {
            try
            {
                Directory.CreateDirectory(folder);
                string probe = Path.Combine(folder, $".{Guid.NewGuid():N}");
                File.WriteAllBytes(probe, []);
                File.Delete(probe);
                return folder;
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                // The next one.
            }
        }

        return Path.GetTempPath();
    }

    private static string Quote(string text) => $"'{text.Replace("'", "''", StringComparison.Ordinal)}'";

    private static BackupException NotStarted(string node, string problem, Exception? inner = null)
        => new(ErrorIds.NodeNotStarted, ErrorKind.InvalidOperation, $"Node {node} was not started: {problem}.", node, inner);
}
