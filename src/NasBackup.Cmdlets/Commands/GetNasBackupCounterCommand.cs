using System.Management.Automation;
using NasBackup.Cmdlets.Completion;
using NasBackup.Cmdlets.Pipeline;
using NasBackup.Jobs;

namespace NasBackup.Cmdlets.Commands;

/// <summary>Gives a plan's counters as they stand on the share, one per assignment (F9).</summary>
[Cmdlet(VerbsCommon.Get, "NasBackupCounter")]
[OutputType(typeof(Counter))]
public sealed class GetNasBackupCounterCommand : PlanCmdlet
{
    /// <summary>Names or patterns of the owners; all where not given.</summary>
    [Parameter(Position = 1)]
    [SupportsWildcards]
    [ValidateNotNullOrEmpty]
    [ArgumentCompleter(typeof(NodeCompleter))]
    public string[] Node { get; set; } = ["*"];

    /// <inheritdoc/>
    protected override void Process(BackupCluster cluster, string planId)
    {
        WildcardPattern[] owners = [.. Node.Select(node => WildcardPattern.Get(node, WildcardOptions.IgnoreCase))];
        WriteObject(
            cluster.GetCounters(planId).Where(counter => owners.Any(owner => owner.IsMatch(counter.Node))),
            enumerateCollection: true);
    }
}
