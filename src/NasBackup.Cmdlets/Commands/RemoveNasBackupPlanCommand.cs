using System.Management.Automation;
using NasBackup.Cmdlets.Pipeline;
using NasBackup.Jobs;

namespace NasBackup.Cmdlets.Commands;

/// <summary>Removes a plan with its lists, journals and records from the share. The backup set on the device stays.</summary>
[Cmdlet(VerbsCommon.Remove, "NasBackupPlan", SupportsShouldProcess = true, ConfirmImpact = ConfirmImpact.High)]
[OutputType(typeof(void))]
public sealed class RemoveNasBackupPlanCommand : PlanCmdlet
{
    /// <summary>Removes the plan even though nodes may be working on it.</summary>
    [Parameter]
    public SwitchParameter Force { get; set; }

    /// <inheritdoc/>
    protected override void Process(BackupCluster cluster, string planId)
    {
        if (ShouldProcess($"{planId} on {cluster.SharePath}", "Remove plan"))
        {
            cluster.RemovePlan(planId, Force);
        }
    }
}
