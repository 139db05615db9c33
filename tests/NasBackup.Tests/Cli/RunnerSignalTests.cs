using System.Diagnostics;
using NasBackup.Tests.Support;
using Xunit;

namespace NasBackup.Tests.Cli;

/// <summary>How the runner ends when somebody wants it to, on systems with signals.</summary>
public sealed class RunnerSignalTests(ScriptModule module) : IClassFixture<ScriptModule>
{
    [Theory]
    [InlineData(Signals.Interrupt, 130)]
    [InlineData(Signals.Terminate, 143)]
    public void A_signal_stops_the_pipeline(int signal, int expected)
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "no signals");
        using var runner = RunnerProcess.Start(module.Settings, "--json", "Test-Wait");
        runner.WaitUntil(static running => running.OutputLines.Count > 2);
        runner.Signal(signal);
        Assert.Equal(expected, runner.WaitForExit());
        Assert.Equal("started", runner.Objects[0].GetString());
    }

    [Fact]
    public void A_second_signal_ends_at_once_what_does_not_stop()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "no signals");
        using var runner = RunnerProcess.Start(module.Settings, "--json", "Test-Wait", "-Deaf");
        runner.WaitUntil(static running => running.OutputLines.Count > 0);
        runner.Signal(Signals.Interrupt);
        runner.WaitUntil(static running => running.ErrorLines.Count > 0);
        Assert.False(runner.HasExited);
        runner.Signal(Signals.Interrupt);
        Assert.Equal(130, runner.WaitForExit(TimeSpan.FromSeconds(15)));
    }

    [Fact]
    public void A_process_can_be_held_and_goes_on()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "no signals");
        using var runner = RunnerProcess.Start(module.Settings, "--json", "Test-Wait");
        runner.WaitUntil(static running => running.OutputLines.Count > 2);
        runner.Signal(Signals.Stop);
        Thread.Sleep(500);
        var held = runner.OutputLines.Count;
        Thread.Sleep(500);
        Assert.Equal(held, runner.OutputLines.Count);
        runner.Signal(Signals.Continue);
        runner.WaitUntil(running => running.OutputLines.Count > held);
        runner.Signal(Signals.KillAtOnce);
        Assert.Equal(137, runner.WaitForExit());
    }

    [Fact]
    public void A_reader_that_leaves_ends_the_run_quietly()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "pipes there do not tell");
        using var shell = Process.Start(new ProcessStartInfo("sh", ["-c", "\"$0\" --json Test-Wait | head -n 1", Path.Combine(RunnerProcess.Folder, "nasbackup")])
        {
            UseShellExecute = false,
            Environment = { ["NASBACKUP_MODULE"] = module.Folder },
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
        Assert.True(shell.WaitForExit(TimeSpan.FromSeconds(50)), "the run goes on for nobody");
        Assert.Equal("\"started\"\n", shell.StandardOutput.ReadToEnd());
        Assert.Empty(shell.StandardError.ReadToEnd());
    }
}
