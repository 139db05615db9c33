using System.Management.Automation;
using NasBackup.Cmdlets.Completion;
using NasBackup.Cmdlets.Parameters;
using NasBackup.Cmdlets.Pipeline;
using NasBackup.Jobs;

namespace NasBackup.Cmdlets.Commands;

/// <summary>Has a node's work taken over at once, for an administrator who knows that it is gone (F13).</summary>
[Cmdlet(VerbsLifecycle.Invoke, "NasTakeover", SupportsShouldProcess = true)]
[OutputType(typeof(Takeover))]
public sealed class InvokeNasTakeoverCommand : PlanCmdlet
{
    /// <summary>The node that is gone.</summary>
    [Parameter(Mandatory = true, Position = 1)]
    [Alias("Node")]
    [ValidateNotNullOrEmpty]
    [ArgumentCompleter(typeof(NodeCompleter))]
    public string FailedNode { get; set; } = "";

    /// <summary>Takes over even though the node still shows progress.</summary>
    [Parameter]
    public SwitchParameter Force { get; set; }

    /// <inheritdoc/>
    protected override void Begin() => NodeName.Check(FailedNode);

    /// <inheritdoc/>
    protected override void Process(BackupCluster cluster, string planId)
    {
        if (ShouldProcess(planId, $"Take over the work of node {FailedNode}"))
        {
            WriteObject(
                RunEngine($"Taking over from {FailedNode}", reports => cluster.TakeOver(planId, FailedNode, Force, reports.Stopped)),
                enumerateCollection: true);
        }
    }
}
