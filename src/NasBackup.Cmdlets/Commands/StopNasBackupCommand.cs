using System.Management.Automation;
using NasBackup.Cmdlets.Parameters;
using NasBackup.Cmdlets.Pipeline;
using NasBackup.Jobs;

namespace NasBackup.Cmdlets.Commands;

/// <summary>Asks all nodes to leave a plan; it can be resumed with Start-NasNodeBackup.</summary>
[Cmdlet(VerbsLifecycle.Stop, "NasBackup", SupportsShouldProcess = true)]
[OutputType(typeof(BackupPlan))]
public sealed class StopNasBackupCommand : PlanCmdlet
{
    /// <summary>How long to wait until all nodes have left; 0 not to wait.</summary>
    [Parameter]
    [DurationTransformation]
    public TimeSpan Timeout { get; set; } = TimeSpan.FromSeconds(30);

    /// <inheritdoc/>
    protected override void Process(BackupCluster cluster, string planId)
    {
        if (ShouldProcess(planId, "Stop backup"))
        {
            WriteObject(cluster.StopPlan(planId, Timeout));
        }
    }
}
