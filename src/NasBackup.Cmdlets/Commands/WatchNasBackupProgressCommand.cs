using System.Management.Automation;
using NasBackup.Cmdlets.Parameters;
using NasBackup.Cmdlets.Pipeline;
using NasBackup.Cmdlets.Views;
using NasBackup.Jobs;

namespace NasBackup.Cmdlets.Commands;

/// <summary>
/// Shows a bar per node until the backup has ended, warns of each takeover, and gives the last state; with -PassThru
/// each state on the way.
/// </summary>
[Cmdlet(VerbsCommon.Watch, "NasBackupProgress")]
[OutputType(typeof(BackupProgress))]
public sealed class WatchNasBackupProgressCommand : PlanCmdlet
{
    /// <summary>How long to wait between two looks.</summary>
    [Parameter]
    [DurationTransformation]
    public TimeSpan Interval { get; set; } = TimeSpan.FromSeconds(1);

    /// <summary>Gives what is seen at each look, not at the last one only.</summary>
    [Parameter]
    public SwitchParameter PassThru { get; set; }

    /// <inheritdoc/>
    protected override void Process(BackupCluster cluster, string planId)
    {
        ProgressWatch watch = cluster.WatchPlan(planId);
        var bars = new ProgressBars($"Backup {planId}");
        int takeoversSeen = 0;
        while (true)
        {
            BackupProgress progress = watch.Look();
            Show(bars.For(progress));
            foreach (Takeover takeover in progress.Takeovers.Skip(takeoversSeen))
            {
                WriteWarning($"{takeover.FailedNode} is held for failed ({takeover.Reason}): {takeover.ClosedBy} closed {takeover.Assignment}, "
                    + $"{Humanize.Entries(takeover.RemainingEntries)} ({Humanize.Size(takeover.RemainingBytes)}) go to {ViewText.List(takeover.Successors)}.");
            }

            takeoversSeen = progress.Takeovers.Count;
            bool ended = progress.Status is not (PlanStatus.Requested or PlanStatus.Planned or PlanStatus.Running);
            if (ended || PassThru)
            {
                WriteObject(progress);
            }

            if (ended || Stopped.WaitHandle.WaitOne(Interval))
            {
                break;
            }
        }

        Stopped.ThrowIfCancellationRequested();
        Show(bars.Close());
    }

    private void Show(IReadOnlyList<ProgressRecord> bars)
    {
        foreach (ProgressRecord bar in bars)
        {
            WriteProgress(bar);
        }
    }
}
