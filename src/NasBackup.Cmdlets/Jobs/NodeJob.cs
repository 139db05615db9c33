using System.Management.Automation;

namespace NasBackup.Cmdlets.Jobs;

/// <summary>One node of a job: where it works and how far it is. It has no output; the result is its parent's.</summary>
internal sealed class NodeJob : Job
{
    private string _status = "";

    public NodeJob(string node)
        : base(command: "", name: node)
    {
        Node = node;
        PSJobTypeName = CommandJob.TypeName;
    }

    public string Node { get; }

    /// <inheritdoc/>
    public override bool HasMoreData => false;

    /// <inheritdoc/>
    public override string Location => Node;

    /// <inheritdoc/>
    public override string StatusMessage => _status;

    public void Begin() => SetJobState(JobState.Running);

    public void End(JobState state) => SetJobState(state);

    /// <summary>What the node's bar says becomes the status.</summary>
    public void Show(ProgressRecord record) => _status = record.StatusDescription;

    /// <summary>A node of a job cannot be stopped alone: the others would take its work over.</summary>
    public override void StopJob()
    {
    }
}
