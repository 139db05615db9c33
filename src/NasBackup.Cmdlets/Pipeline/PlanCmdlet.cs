using System.Management.Automation;
using NasBackup.Cmdlets.Completion;
using NasBackup.Cmdlets.Parameters;
using NasBackup.Jobs;

namespace NasBackup.Cmdlets.Pipeline;

/// <summary>A cmdlet that works on one existing plan per pipeline item.</summary>
public abstract class PlanCmdlet : NasCmdlet
{
    /// <summary>The plan: an object (also one that came over remoting), or an id. As -PlanId or -Id it binds by property name.</summary>
    [Parameter(Mandatory = true, Position = 0, ValueFromPipeline = true, ValueFromPipelineByPropertyName = true)]
    [Alias("PlanId", "Id")]
    [PlanTransformation]
    [ArgumentCompleter(typeof(PlanCompleter))]
    public PlanReference? Plan { get; set; }

    /// <inheritdoc/>
    protected sealed override void Process() => Process(OpenShare(Plan!.Share), Plan.Id);

    /// <summary>For each plan.</summary>
    protected abstract void Process(BackupCluster cluster, string planId);
}
