using System.Management.Automation;
using NasBackup.Cmdlets.Completion;
using NasBackup.Cmdlets.Pipeline;
using NasBackup.Jobs;

namespace NasBackup.Cmdlets.Commands;

/// <summary>Gives the plans on a share, the oldest first.</summary>
[Cmdlet(VerbsCommon.Get, "NasBackupPlan")]
[OutputType(typeof(BackupPlan))]
public sealed class GetNasBackupPlanCommand : NasCmdlet
{
    /// <summary>Ids or patterns; all plans where not given.</summary>
    [Parameter(Position = 0, ValueFromPipeline = true, ValueFromPipelineByPropertyName = true)]
    [Alias("PlanId")]
    [SupportsWildcards]
    [ValidateNotNullOrEmpty]
    [ArgumentCompleter(typeof(PlanCompleter))]
    public string[] Id { get; set; } = ["*"];

    /// <summary>Only plans that stand so.</summary>
    [Parameter]
    public PlanStatus[] Status { get; set; } = [];

    /// <inheritdoc/>
    protected override void Process()
    {
        BackupCluster cluster = OpenShare();
        foreach (string id in Id)
        {
            Attempt(() => WriteObject(
                Find(cluster, id).Where(plan => Status.Length == 0 || Status.Contains(plan.Status)),
                enumerateCollection: true));
        }
    }

    private static IEnumerable<BackupPlan> Find(BackupCluster cluster, string id)
    {
        if (!WildcardPattern.ContainsWildcardCharacters(id))
        {
            return [cluster.GetPlan(id)];
        }

        var pattern = WildcardPattern.Get(id, WildcardOptions.IgnoreCase);
        return cluster.GetPlans().Where(plan => pattern.IsMatch(plan.Id)).OrderBy(plan => plan.Id, StringComparer.Ordinal);
    }
}
