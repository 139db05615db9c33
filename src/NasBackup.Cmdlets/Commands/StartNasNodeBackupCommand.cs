using System.Management.Automation;
using NasBackup.Cmdlets.Completion;
using NasBackup.Cmdlets.Jobs;
using NasBackup.Cmdlets.Parameters;
using NasBackup.Cmdlets.Pipeline;
using NasBackup.Cmdlets.Remoting;
using NasBackup.Jobs;

namespace NasBackup.Cmdlets.Commands;

/// <summary>
/// Does one node's part of a plan until the plan is complete, other nodes' work included where they fail (F9–F17).
/// Stopping it makes the node leave, and the others take over at once.
/// </summary>
[Cmdlet(VerbsLifecycle.Start, "NasNodeBackup", SupportsShouldProcess = true)]
[OutputType(typeof(NodeBackupResult), typeof(NodeProcess), typeof(Job))]
public sealed class StartNasNodeBackupCommand : PlanCmdlet
{
    /// <summary>Names this machine's node where -Node is not given.</summary>
    internal const string NodeVariable = "NASBACKUP_NODE";

    /// <summary>The node to run as; $env:NASBACKUP_NODE, else the host's name, where not given.</summary>
    [Parameter(Position = 1)]
    [ValidateNotNullOrEmpty]
    [ArgumentCompleter(typeof(NodeCompleter))]
    public string? Node { get; set; }

    /// <summary>Files copied at once; from the number of cores where not given.</summary>
    [Parameter]
    [ValidateRange(1, 1024)]
    public int Workers { get; set; }

    /// <summary>A limit of the node's throughput in bytes per second.</summary>
    [Parameter]
    [SizeTransformation(Minimum = 1)]
    public long? MaxBytesPerSecond { get; set; }

    /// <summary>Helps with a plan that the node is not in: it relieves slow nodes and takes over from failed ones.</summary>
    [Parameter]
    public SwitchParameter Join { get; set; }

    /// <summary>Goes on with a share that others can write to, although they could give orders through it; warned of at each run.</summary>
    [Parameter]
    public SwitchParameter AllowInsecureShare { get; set; }

    /// <summary>Returns at once with a job: Receive-Job has the result, and Stop-Job makes the node leave.</summary>
    [Parameter]
    public SwitchParameter AsJob { get; set; }

    /// <summary>Starts the node's run as a process of its own, which goes on when this session ends, and returns at once.</summary>
    [Parameter]
    public SwitchParameter Detached { get; set; }

    private string NodeToRun
    {
        get
        {
            string? node = Node ?? Environment.GetEnvironmentVariable(NodeVariable);
            return string.IsNullOrEmpty(node) ? Environment.MachineName : node;
        }
    }

    /// <inheritdoc/>
    protected override void Begin() => NodeName.Check(NodeToRun);

    /// <inheritdoc/>
    protected override void Process(BackupCluster cluster, string planId)
    {
        if (!ShouldProcess(planId, $"Back up as node {NodeToRun}"))
        {
            return;
        }

        if (AsJob)
        {
            // A name that is not registered is told here, not by the job.
            string node = cluster.GetNode(NodeToRun).Name;
            cluster.CheckNode(planId, node, Join);
            RunAsJob([nameof(Plan)], JobParameters.Of(cluster, planId, (nameof(Node), node)), [node]);
            return;
        }

        if (Detached)
        {
            // Bad names are told here, not in a log.
            string node = cluster.GetNode(NodeToRun).Name;
            cluster.CheckNode(planId, node, Join);
            var start = new NodeStart(cluster.SharePath, planId, node, Workers, MaxBytesPerSecond, AllowInsecureShare, Join);
            WriteObject(new DetachedNode(System.IO.Path.Combine(MyInvocation.MyCommand.Module.ModuleBase, "NasBackup.psd1")).Start(start));
            return;
        }

        NodeBackupResult result = RunEngine($"Backup {planId}", reports => cluster.RunNode(
            planId,
            NodeToRun,
            new NodeRunOptions
            {
                Workers = Workers,
                MaxBytesPerSecond = MaxBytesPerSecond,
                AllowInsecureShare = AllowInsecureShare,
                Join = Join,
                ScanProgress = reports.Progress,
                Progress = reports.Progress,
                Verbose = reports.Verbose,
                Warning = reports.Warning,
            },
            reports.Stopped));
        WriteFailures(result.Failures);
        if (result.ErrorId is { } errorId)
        {
            WriteError(ErrorRecords.Of(errorId, $"Node {result.Node} stopped: {result.Problem}", result.Node));
        }

        WriteObject(result);
    }
}
