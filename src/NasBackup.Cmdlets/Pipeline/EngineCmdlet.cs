using System.Management.Automation;
using NasBackup.Cmdlets.Parameters;

namespace NasBackup.Cmdlets.Pipeline;

/// <summary>
/// What all cmdlets of the module have in common: errors with stable ids, and leaving cleanly on Ctrl+C.
/// An error of one pipeline item is written and the next item follows; an error before the first or after the last
/// item ends the cmdlet.
/// </summary>
public abstract class EngineCmdlet : PSCmdlet, IDisposable
{
    private readonly CancellationTokenSource _stop = new();

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
