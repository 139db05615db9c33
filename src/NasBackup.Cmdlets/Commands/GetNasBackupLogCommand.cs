using System.Management.Automation;
using NasBackup.Cmdlets.Completion;
using NasBackup.Cmdlets.Parameters;
using NasBackup.Cmdlets.Pipeline;

namespace NasBackup.Cmdlets.Commands;

/// <summary>Gives what nodes wrote to their logs at the end of each backup, with their speeds (F3, F11).</summary>
[Cmdlet(VerbsCommon.Get, "NasBackupLog")]
[OutputType(typeof(NodeLogRecord))]
public sealed class GetNasBackupLogCommand : NasCmdlet
{
    /// <summary>Names or patterns of nodes; all where not given.</summary>
    [Parameter(Position = 0, ValueFromPipelineByPropertyName = true)]
    [Alias("Name")]
    [SupportsWildcards]
    [ValidateNotNullOrEmpty]
    [ArgumentCompleter(typeof(NodeCompleter))]
    public string[] Node { get; set; } = ["*"];

    /// <summary>Only what belongs to this plan: an object (also one that came over remoting), or an id.</summary>
    [Parameter(ValueFromPipeline = true)]
    [Alias("PlanId", "Id")]
    [PlanTransformation]
    [ArgumentCompleter(typeof(PlanCompleter))]
    public PlanReference? Plan { get; set; }

    /// <inheritdoc/>
    protected override void Process()
    {
        WildcardPattern[] nodes = [.. Node.Select(node => WildcardPattern.Get(node, WildcardOptions.IgnoreCase))];
        WriteObject(
            OpenShare(Plan?.Share).GetLog()
                .Where(record => nodes.Any(node => node.IsMatch(record.Node)))
                .Where(record => Plan is null || string.Equals(record.PlanId, Plan.Id, StringComparison.OrdinalIgnoreCase)),
            enumerateCollection: true);
    }
}
