using System.Management.Automation;
using System.Threading.Channels;

namespace NasBackup.Cmdlets.Pipeline;

/// <summary>
/// Where the engine, on any thread, leaves what the user should see until the pipeline's own thread writes it:
/// the shell's streams may be touched from nowhere else. What comes after the end is dropped.
/// </summary>
internal sealed class EngineReports(CancellationToken stopped)
{
    private readonly Channel<Action<Cmdlet>> _reports = Channel.CreateUnbounded<Action<Cmdlet>>(
        new UnboundedChannelOptions { SingleReader = true });

    /// <summary>Cancelled when the engine should leave.</summary>
    public CancellationToken Stopped => stopped;

    public void Verbose(string text) => Post(cmdlet => cmdlet.WriteVerbose(text));

    public void Warning(string text) => Post(cmdlet => cmdlet.WriteWarning(text));

    public void Progress(IReadOnlyList<ProgressRecord> bars) => Post(cmdlet =>
    {
        foreach (ProgressRecord bar in bars)
        {
            cmdlet.WriteProgress(bar);
        }
    });

    /// <summary>No more reports: <see cref="WriteAll"/> returns when it has written what is there.</summary>
    public void End() => _reports.Writer.TryComplete();

    /// <summary>Writes reports as they come, until the end. Throws what the cmdlet's streams throw.</summary>
    public void WriteAll(Cmdlet cmdlet)
    {
        while (_reports.Reader.WaitToReadAsync(CancellationToken.None).AsTask().GetAwaiter().GetResult())
        {
            while (_reports.Reader.TryRead(out Action<Cmdlet>? report))
            {
                report(cmdlet);
            }
        }
    }

    private void Post(Action<Cmdlet> report) => _reports.Writer.TryWrite(report);
}
