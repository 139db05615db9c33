using System.Management.Automation;
using NasBackup.Cmdlets.Completion;
using NasBackup.Cmdlets.Jobs;
using NasBackup.Jobs;

namespace NasBackup.Cmdlets.Pipeline;

/// <summary>A cmdlet that works on a share.</summary>
public abstract class NasCmdlet : EngineCmdlet
{
    /// <summary>Names the share where -Share is not given.</summary>
    internal const string ShareVariable = "NASBACKUP_SHARE";

    private BackupCluster? _cluster;

    /// <summary>The folder that all nodes and this machine reach; $env:NASBACKUP_SHARE where not given.</summary>
    [Parameter(ValueFromPipelineByPropertyName = true)]
    [ValidateNotNullOrEmpty]
    [ArgumentCompleter(typeof(ShareCompleter))]
    public string? Share { get; set; }

    /// <summary>The share's absolute path: as given, else as the plan names it, else as the environment does.</summary>
    protected string ResolveShare(string? planShare = null)
    {
        string? share = Share ?? planShare ?? Environment.GetEnvironmentVariable(ShareVariable);
        return string.IsNullOrEmpty(share)
            ? throw new BackupException(
                ErrorIds.ShareNotGiven, ErrorKind.InvalidArgument, $"No share is given. Name it with -Share or in $env:{ShareVariable}.")
            : Paths.Folder(share, ErrorIds.ShareNotFound);
    }

    /// <summary>The engine on the share of <see cref="ResolveShare"/>; it stays open until the cmdlet ends or needs another.</summary>
    /// <param name="planShare">The share as a plan object names it.</param>
    /// <param name="create">Whether the folder is made where only its parent exists.</param>
    protected BackupCluster OpenShare(string? planShare = null, bool create = false)
    {
        string share = ResolveShare(planShare);
        if (_cluster?.SharePath != share)
        {
            _cluster?.Dispose();
            _cluster = null;
            _cluster = BackupCluster.Open(share, create);
        }

        return _cluster;
    }

    /// <summary>Makes the same call in a job of its own, and emits the job (-AsJob).</summary>
    /// <param name="without">Parameters that do not go along.</param>
    /// <param name="with">Parameters that take their place.</param>
    /// <param name="nodes">The nodes that are known already.</param>
    private protected void RunAsJob(IEnumerable<string> without, IReadOnlyDictionary<string, object> with, IEnumerable<string> nodes)
    {
        var job = new CommandJob(new CommandCall(this, without, with), nodes);
        JobRepository.Add(job);
        job.Start();
        WriteObject(job);
    }

    /// <summary>Writes an error for each entry that is not in the set.</summary>
    protected void WriteFailures(IEnumerable<FailedEntry> failures)
    {
        foreach (FailedEntry entry in failures)
        {
            WriteError(ErrorRecords.Of(entry.ErrorId, entry.ToString(), entry.Path));
        }
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _cluster?.Dispose();
        }

        base.Dispose(disposing);
    }
}
