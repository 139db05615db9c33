using System.Management.Automation;
using NasBackup.Cmdlets.Pipeline;
using NasBackup.Jobs;

namespace NasBackup.Cmdlets.Commands;

/// <summary>Makes a plan of all sources that are given or piped in, and publishes it on the share (F1–F8).</summary>
[Cmdlet(VerbsCommon.New, "NasBackupPlan", SupportsShouldProcess = true, ConfirmImpact = ConfirmImpact.Low, DefaultParameterSetName = PathSet)]
[OutputType(typeof(BackupPlan))]
public sealed class NewNasBackupPlanCommand : PlanRequestCmdlet
{
    /// <summary>Publishes the request only; the first node that starts plans it.</summary>
    [Parameter]
    public SwitchParameter RequestOnly { get; set; }

    /// <inheritdoc/>
    protected override void End()
    {
        if (!HasSources || !ShouldRequest("Plan backup"))
        {
            return;
        }

        BackupRequest request = MakeRequest();
        BackupCluster cluster = OpenShare(create: true);
        WriteObject(RequestOnly ? PublishRequest(cluster, request) : Plan(cluster, request));
    }

    private BackupPlan Plan(BackupCluster cluster, BackupRequest request)
        => RunEngine("Planning the backup", reports => cluster.CreatePlan(request, reports.Progress, reports.Verbose, reports.Warning, reports.Stopped));
}
