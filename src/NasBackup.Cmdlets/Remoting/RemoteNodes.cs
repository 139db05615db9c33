using System.Management.Automation;
using System.Management.Automation.Runspaces;

namespace NasBackup.Cmdlets.Remoting;

/// <summary>
/// Nodes on other machines, reached through the shell's own remoting. A session only checks the machine and starts the
/// node's run there, as a process that does not belong to it.
/// </summary>
/// <param name="version">The version of the module here; another one there is refused before anything is copied.</param>
/// <param name="throttleLimit">How many sessions are used at once.</param>
internal sealed class RemoteNodes(Version version, int throttleLimit)
{
    /// <summary>Only what every session has: the engine's own cmdlets and .NET.</summary>
    private const string CheckScript = """
        param($share)
        $module = Get-Module NasBackup
        if (-not $module) {
            try { $module = Import-Module NasBackup -PassThru -ErrorAction Stop }
            catch { return @{ Problem = "$_" } }
        }
        @{ Version = [string] @($module)[0].Version; HasShare = [IO.File]::Exists([IO.Path]::Combine($share, 'nasbackup.json')) }
        """;

    /// <summary>Looks whether each session can run its node.</summary>
    /// <param name="nodes">The sessions.</param>
    /// <param name="shareOf">The share as the node sees it.</param>
    /// <param name="failed">Told of each that cannot, and why; from several threads.</param>
    /// <returns>Those that can, in the order given.</returns>
    public IReadOnlyList<NodeSession> Check(IReadOnlyList<NodeSession> nodes, Func<string, string> shareOf, Action<BackupException> failed)
        => ForEach(nodes, failed, node =>
        {
            ThrowIfClosed(node);
            string share = shareOf(node.Node);
            Answer answer = new(Invoke(node, shell => shell.AddScript(CheckScript).AddArgument(share)));
            if (answer["Problem"] is { } problem)
            {
                throw new BackupException(
                    ErrorIds.ModuleMissing, ErrorKind.NotFound, $"Node {node.Node} on '{node.Session.ComputerName}' has no module NasBackup: {problem} Install version {version} there.", node.Node);
            }

            if (answer["Version"] is not { } there || there.ToString() != version.ToString())
            {
                throw new BackupException(
                    ErrorIds.ModuleDiffers,
                    ErrorKind.InvalidData,
                    $"Node {node.Node} on '{node.Session.ComputerName}' has version {answer["Version"]} of the module NasBackup, and this machine has {version}. Install the same version on both.",
                    node.Node);
            }

            if (answer["HasShare"] is not true)
            {
                throw new BackupException(
                    ErrorIds.ShareNotFound,
                    ErrorKind.NotFound,
                    $"Node {node.Node} on '{node.Session.ComputerName}' does not see the share at '{share}'. Mount it there, or give the node a path map (Set-NasNode -PathMap).",
                    share);
            }

            return node;
        });

    /// <summary>Starts the nodes' runs.</summary>
    /// <param name="nodes">Those that were checked.</param>
    /// <param name="startOf">What each is started with.</param>
    /// <param name="failed">Told of each that could not be started; from several threads.</param>
    public IReadOnlyList<NodeProcess> Start(IReadOnlyList<NodeSession> nodes, Func<string, NodeStart> startOf, Action<BackupException> failed)
        => ForEach(nodes, failed, node =>
        {
            NodeStart start = startOf(node.Node);
            PSObject started = Invoke(node, shell =>
            {
                shell.AddCommand("Start-NasNodeBackup")
                    .AddParameter("Share", start.Share)
                    .AddParameter("PlanId", start.PlanId)
                    .AddParameter("Node", start.Node)
                    .AddParameter("Detached");
                if (start.AllowInsecureShare)
                {
                    shell.AddParameter("AllowInsecureShare");
                }

                if (start.Workers > 0)
                {
                    shell.AddParameter("Workers", start.Workers);
                }

                if (start.MaxBytesPerSecond is { } limit)
                {
                    shell.AddParameter("MaxBytesPerSecond", limit);
                }

                return shell;
            });
            return (NodeProcess)LanguagePrimitives.ConvertTo(started, typeof(NodeProcess), System.Globalization.CultureInfo.InvariantCulture);
        });

    private T[] ForEach<T>(IReadOnlyList<NodeSession> nodes, Action<BackupException> failed, Func<NodeSession, T> work)
        where T : class
    {
        var results = new T?[nodes.Count];
        Parallel.For(0, nodes.Count, new ParallelOptions { MaxDegreeOfParallelism = throttleLimit }, i =>
        {
            try
            {
                results[i] = work(nodes[i]);
            }
            catch (BackupException e)
            {
                failed(e);
            }
        });
        return [.. results.OfType<T>()];
    }

    private static PSObject Invoke(NodeSession node, Func<PowerShell, PowerShell> build)
    {
        using var shell = PowerShell.Create();
        shell.Runspace = node.Session.Runspace;
        try
        {
            PSObject? answer = build(shell).Invoke().LastOrDefault();
            return shell.Streams.Error.FirstOrDefault() is { } error
                ? throw new BackupException(ErrorIds.NodeNotStarted, ErrorKind.InvalidOperation, $"Node {node.Node} was not started on '{node.Session.ComputerName}': {error}", node.Node, error.Exception)
                : answer ?? throw new BackupException(ErrorIds.NodeNotStarted, ErrorKind.InvalidOperation, $"Node {node.Node} on '{node.Session.ComputerName}' gave no answer.", node.Node);
        }
        catch (RuntimeException e)
        {
            ThrowIfClosed(node);
            throw new BackupException(ErrorIds.NodeNotStarted, ErrorKind.InvalidOperation, $"Node {node.Node} was not started on '{node.Session.ComputerName}': {e.Message}", node.Node, e);
        }
        catch (Exception e) when (e is InvalidRunspaceStateException or InvalidOperationException)
        {
            ThrowIfClosed(node);
            throw new BackupException(ErrorIds.HostNotReached, ErrorKind.DeviceError, $"The session to node {node.Node} on '{node.Session.ComputerName}' cannot be used: {e.Message}", node.Node, e);
        }
    }

    private static void ThrowIfClosed(NodeSession node)
    {
        if (node.Session.Runspace.RunspaceStateInfo.State is not RunspaceState.Opened)
        {
            throw new BackupException(
                ErrorIds.SessionNotOpen,
                ErrorKind.InvalidOperation,
                $"The session to node {node.Node} on '{node.Session.ComputerName}' is not open (it is {node.Session.Runspace.RunspaceStateInfo.State}). Make a new one with New-PSSession.",
                node.Node);
        }
    }

    /// <summary>A table that crossed the wire.</summary>
    private sealed class Answer(PSObject answer)
    {
        public object? this[string name] => answer.BaseObject is System.Collections.IDictionary table && table[name] is { } value
            ? value is PSObject wrapped ? wrapped.BaseObject : value
            : null;
    }
}
