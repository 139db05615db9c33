using NasBackup.Coordination;
using NasBackup.Transfer;

namespace NasBackup.Jobs;

/// <summary>
/// Checkpoints that fail one after the other: the share is away, or does not do what it is asked. Nothing is lost meanwhile, but
/// nothing is committed either, so it is said after the failure timeout, and given up after the failover timeout.
/// </summary>
internal sealed class ShareOutage(PlanFolder folder, RequestDocument request)
{
    private readonly TimeProvider _time = folder.Share.Runtime.Time;
    private long? _since;
    private bool _isTold;

    /// <summary>What the user is told.</summary>
    public Action<string>? Tell { get; set; }

    /// <summary>A checkpoint has failed.</summary>
    /// <returns>An error that stops the node, when it has waited long enough; else null.</returns>
    public NodeStoppedException? Note(Exception problem)
    {
        _since ??= _time.GetTimestamp();
        TimeSpan duration = _time.GetElapsedTime(_since.Value);
        if (duration > request.FailureTimeout && !_isTold)
        {
            _isTold = true;
            Tell?.Invoke($"The share '{folder.Share.Path}' does not take what is to be written there: {problem.Message}. Nothing is committed until it does; waiting up to {request.FailoverTimeout}.");
        }

        return duration <= request.FailoverTimeout
            ? null
            : new NodeStoppedException(
                ErrorIds.FileOperationFailed,
                $"Nothing could be written to the share '{folder.Share.Path}' for {request.FailoverTimeout}: {problem.Message}. See to it, then resume with Start-NasNodeBackup.",
                problem);
    }

    /// <summary>A checkpoint has succeeded.</summary>
    public void End()
    {
        if (_isTold)
        {
            Tell?.Invoke($"The share '{folder.Share.Path}' can be written to again.");
        }

        (_since, _isTold) = (null, false);
    }
}
