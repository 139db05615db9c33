using System.Management.Automation;
using NasBackup.Cmdlets.Completion;
using NasBackup.Cmdlets.Parameters;
using NasBackup.Jobs;

namespace NasBackup.Cmdlets.Pipeline;

/// <summary>
/// What all cmdlets of the module share: the share, errors with stable ids, and leaving cleanly on Ctrl+C.
/// An error of one pipeline item is written and the next item follows; an error before the first or after the last
/// item ends the cmdlet.
/// </summary>
public abstract class NasCmdlet : PSCmdlet, IDisposable
{
    /// <summary>Names the share where -Share is not given.</summary>
    internal const string ShareVariable = "NASBACKUP_SHARE";

    private readonly CancellationTokenSource _stop = new();
    private BackupCluster? _cluster;

    /// <summary>The folder that all nodes and this machine reach; $env:NASBACKUP_SHARE where not given.</summary>
    [Parameter(ValueFromPipelineByPropertyName = true)]
    [ValidateNotNullOrEmpty]
    [ArgumentCompleter(typeof(ShareCompleter))]
    public string? Share { get; set; }

    /// <summary>Cancelled when the user stops the pipeline.</summary>
    protected CancellationToken Stopped => _stop.Token;

    /// <summary>Makes paths absolute against the session's location.</summary>
    internal PathResolver Paths => field ??= new PathResolver(SessionState);

    /// <inheritdoc/>
    protected sealed override void BeginProcessing() => Guard(Begin, ThrowTerminatingError);

    /// <inheritdoc/>
    protected sealed override void ProcessRecord() => Guard(Process, WriteError);

    /// <inheritdoc/>
    protected sealed override void EndProcessing() => Guard(End, ThrowTerminatingError);

    /// <inheritdoc/>
    protected override void StopProcessing() => _stop.Cancel();

    /// <summary>Before the first pipeline item: checks of what does not come from the pipeline.</summary>
    protected virtual void Begin()
    {
    }

    /// <summary>For each pipeline item.</summary>
    protected virtual void Process()
    {
    }

    /// <summary>After the last pipeline item.</summary>
    protected virtual void End()
    {
    }

    /// <summary>Does a part whose failure does not end the rest: its error is written and the cmdlet goes on.</summary>
    protected void Attempt(Action part) => Guard(part, WriteError);

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

    /// <summary>Runs a call of the engine that blocks, while this thread writes what it reports.</summary>
    /// <param name="activity">What its progress bars are about.</param>
    /// <param name="call">The call.</param>
    internal T RunEngine<T>(string activity, Func<EngineReports, T> call)
        => EngineWork.Run(this, activity, _stop, call);

    /// <inheritdoc/>
    public void Dispose()
    {
        Dispose(disposing: true);
        GC.SuppressFinalize(this);
    }

    /// <inheritdoc cref="Dispose()"/>
    protected virtual void Dispose(bool disposing)
    {
        if (disposing)
        {
            _cluster?.Dispose();
            _stop.Dispose();
        }
    }

    private void Guard(Action step, Action<ErrorRecord> report)
    {
        try
        {
            step();
        }
        catch (OperationCanceledException) when (_stop.IsCancellationRequested)
        {
            throw new PipelineStoppedException();
        }
        catch (Exception e) when (ErrorRecords.From(e) is { } record)
        {
            report(record);
        }
    }
}
