using System.Management.Automation;
using System.Runtime.InteropServices;
using NasBackup.Cli.Output;

namespace NasBackup.Cli.Hosting;

/// <summary>
/// Signals that end the process. The first one stops the pipeline, so that a cmdlet can leave its work in order; the second one,
/// or <see cref="patience"/>, ends the process as it is, which costs no more than any crash.
/// </summary>
internal sealed class Interruption : IDisposable
{
    private static readonly TimeSpan patience = TimeSpan.FromSeconds(30);

    private readonly Lock gate = new();
    private readonly Messages messages;
    private readonly List<PosixSignalRegistration> registrations;
    private readonly Timer lastResort;
    private PowerShell? pipeline;

    public Interruption(Messages messages)
    {
        this.messages = messages;
        lastResort = new Timer(_ => Environment.Exit(ExitCode ?? Cli.ExitCode.Error));
        registrations =
        [
            Register(PosixSignal.SIGINT, 2),
            Register(PosixSignal.SIGTERM, 15),
            Register(PosixSignal.SIGHUP, 1),
        ];
    }

    /// <summary>What the signal makes of the exit code; null as long as none has come.</summary>
    public int? ExitCode { get; private set; }

    /// <summary>From here on a signal stops this pipeline; until then it ends the process.</summary>
    public void Attach(PowerShell running)
    {
        lock (gate)
        {
            pipeline = running;
        }
    }

    public void Dispose()
    {
        registrations.ForEach(static registration => registration.Dispose());
        lastResort.Dispose();
    }

    private PosixSignalRegistration Register(PosixSignal signal, int number) => PosixSignalRegistration.Create(signal, context =>
    {
        context.Cancel = true;
        OnSignal(number);
    });

    private void OnSignal(int number)
    {
        PowerShell? running;
        lock (gate)
        {
            running = ExitCode is null ? pipeline : null;
            ExitCode ??= Cli.ExitCode.FromSignal(number);
        }

        if (running is null)
        {
            Environment.Exit(ExitCode.Value);
        }

        lastResort.Change(patience, Timeout.InfiniteTimeSpan);
        messages.Information("Stopping. A second signal ends the process at once.");
        running.BeginStop(static _ => { }, state: null);
    }
}
