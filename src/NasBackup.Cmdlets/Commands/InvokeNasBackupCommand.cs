using System.Management.Automation;
using NasBackup.Cmdlets.Completion;
using NasBackup.Cmdlets.Jobs;
using NasBackup.Cmdlets.Parameters;
using NasBackup.Cmdlets.Pipeline;
using NasBackup.Jobs;

namespace NasBackup.Cmdlets.Commands;

/// <summary>
/// The whole job in one call: plans it, unless a plan is given, runs all its nodes in this process, and tells when it
/// is complete (F18). Stopping it stops the job, which can be resumed.
/// </summary>
[Cmdlet(VerbsLifecycle.Invoke, "NasBackup", SupportsShouldProcess = true, DefaultParameterSetName = PathSet)]
[OutputType(typeof(BackupResult), typeof(Job))]
public sealed class InvokeNasBackupCommand : PlanRequestCmdlet
{
    private const string PlanSet = "Plan";

    /// <summary>An existing plan: an object (also one that came over remoting), or an id.</summary>
    [Parameter(Mandatory = true, ParameterSetName = PlanSet, ValueFromPipeline = true, ValueFromPipelineByPropertyName = true)]
    [Alias("PlanId", "Id")]
    [PlanTransformation]
    [ArgumentCompleter(typeof(PlanCompleter))]
    public PlanReference? Plan { get; set; }

    /// <summary>Called once with the result, as argument and as $_, when the backup is complete; its output goes to
    /// the verbose stream. Not called for a backup that was stopped or failed.</summary>
    [Parameter]
    [ValidateNotNull]
    public ScriptBlock? OnCompletion { get; set; }

    /// <summary>Files that each node copies at once; from the number of cores where not given.</summary>
    [Parameter]
    [ValidateRange(1, 1024)]
    public int Workers { get; set; }

    /// <summary>A limit of each node's throughput in bytes per second.</summary>
    [Parameter]
    [SizeTransformation(Minimum = 1)]
    public long? MaxBytesPerSecond { get; set; }

    /// <summary>Returns at once with a job: Receive-Job has the result, Stop-Job stops the backup, and each node has a child job.</summary>
    [Parameter]
    public SwitchParameter AsJob { get; set; }

    /// <inheritdoc/>
    protected override void Process()
    {
        if (Plan is null)
        {
            base.Process();
        }
        else if (ShouldProcess(Plan.Id, "Back up"))
        {
            if (AsJob)
            {
                BackupCluster share = OpenShare(Plan.Share);
                StartJob(JobParameters.Of(share, Plan.Id), share.GetPlan(Plan.Id).Nodes);
                return;
            }

            Run(OpenShare(Plan.Share), Plan.Id);
        }
    }

    /// <inheritdoc/>
    protected override void End()
    {
        if (HasSources && ShouldRequest("Back up"))
        {
            if (AsJob)
            {
                // Sources may have come through the pipeline, and patterns are resolved by now.
                StartJob(new Dictionary<string, object> { [nameof(LiteralPath)] = MakeRequest().Path.ToArray() }, Node);
                return;
            }

            BackupRequest request = MakeRequest();
            BackupCluster cluster = OpenShare(create: true);
            Run(cluster, PublishRequest(cluster, request).Id);
        }
    }

    private void StartJob(IReadOnlyDictionary<string, object> with, IEnumerable<string> nodes)
        => RunAsJob([nameof(Path), nameof(LiteralPath), nameof(Plan)], with, nodes);

    private void Run(BackupCluster cluster, string planId)
    {
        BackupResult result = RunEngine($"Backup {planId}", reports => cluster.RunJob(
            planId,
            new BackupJobOptions
            {
                Workers = Workers,
                MaxBytesPerSecond = MaxBytesPerSecond,
                AllowInsecureShare = AllowInsecureShare,
                ScanProgress = reports.Progress,
                Progress = reports.Progress,
                Verbose = reports.Verbose,
                Warning = reports.Warning,
            },
            reports.Stopped));

        // Before anything else is written: an error or whoever is next in the pipeline may end it.
        if (result.Status is BackupStatus.Completed or BackupStatus.CompletedWithErrors)
        {
            Attempt(() => Notify(result));
        }

        WriteFailures(result.Failures);
        if (result.ErrorId is { } errorId)
        {
            WriteError(ErrorRecords.Of(errorId, $"The backup {result.PlanId} stopped: {result.Problem}", result.PlanId));
        }

        WriteObject(result);
    }

    private void Notify(BackupResult result)
    {
        if (OnCompletion is null)
        {
            return;
        }

        try
        {
            foreach (PSObject? output in OnCompletion.InvokeWithContext(null, [new PSVariable("_", result)], result))
            {
                WriteVerbose($"OnCompletion: {output}");
            }
        }
        catch (RuntimeException e) when (e is not PipelineStoppedException)
        {
            throw new BackupException(
                ErrorIds.CompletionActionFailed,
                ErrorKind.InvalidOperation,
                $"The backup {result.SetId} is complete, but its -OnCompletion script failed: {e.Message}",
                result.SetId,
                e);
        }
    }
}
