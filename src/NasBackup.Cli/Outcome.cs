using System.Management.Automation;

namespace NasBackup.Cli;

/// <summary>What has become of the run so far, from the errors it reported and the results it emitted.</summary>
/// <param name="judgesStatus">
/// Whether a <c>Status</c> says something about this run. It does not where objects are only looked up:
/// a plan that was stopped last week is no failure of the command that lists it.
/// </param>
internal sealed class Outcome(bool judgesStatus)
{
    private readonly Lock gate = new();
    private bool hasErrors;
    private bool hasEnded;
    private bool isUsage;
    private bool hasFailedEntries;

    /// <summary>
    /// A run that completed with failed entries says so (2), although it may have reported each of them as an error; one that
    /// did not come to its end is an error (1) whatever it emitted before.
    /// </summary>
    public int ExitCode
    {
        get
        {
            lock (gate)
            {
                return this switch
                {
                    { isUsage: true } => Cli.ExitCode.Usage,
                    { hasEnded: true } => Cli.ExitCode.Error,
                    { hasFailedEntries: true } => Cli.ExitCode.CompletedWithErrors,
                    { hasErrors: true } => Cli.ExitCode.Error,
                    _ => Cli.ExitCode.Success,
                };
            }
        }
    }

    /// <summary>Something could not be done, and the rest went on.</summary>
    public void AddError()
    {
        lock (gate)
        {
            hasErrors = true;
        }
    }

    /// <summary>The run ended before it was complete.</summary>
    public void AddEnd()
    {
        lock (gate)
        {
            hasEnded = true;
        }
    }

    /// <summary>The command line was wrong.</summary>
    public void AddUsage()
    {
        lock (gate)
        {
            isUsage = true;
        }
    }

    /// <summary>Takes note of an object that the run emitted.</summary>
    public void AddResult(PSObject result)
    {
        if (!judgesStatus || result.Properties["Status"] is not { IsGettable: true } property)
        {
            return;
        }

        string? status;
        try
        {
            status = property.Value?.ToString();
        }
        catch (RuntimeException)
        {
            return;
        }

        lock (gate)
        {
            hasEnded |= status is "Stopped" or "Failed";
            hasFailedEntries |= status is "CompletedWithErrors";
        }
    }
}
