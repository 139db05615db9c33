using System.Management.Automation;
using System.Management.Automation.Runspaces;
using NasBackup.Cmdlets.Pipeline;

namespace NasBackup.Tests.Cmdlets;

public sealed class EngineWorkTests
{
    [Fact]
    public void What_the_engine_reports_from_its_threads_is_written_in_order()
    {
        using PowerShell shell = Shell(reports =>
        {
            Parallel.For(0, 4, _ => reports.Verbose("any thread"));
            reports.Warning("first");
            reports.Warning("second");
            reports.Progress(new NasBackup.Files.ScanProgress(1, 2));
            return "done";
        });

        Assert.Equal("done", Assert.Single(shell.AddParameter("Verbose").Invoke()).ToString());
        Assert.Equal(["first", "second"], shell.Streams.Warning.Select(record => record.Message));
        Assert.Equal(4, shell.Streams.Verbose.Count(record => record.Message == "any thread"));
        Assert.Equal([ProgressRecordType.Processing, ProgressRecordType.Completed], shell.Streams.Progress.Select(bar => bar.RecordType));
    }

    [Fact]
    public void Stopping_asks_the_engine_to_leave_and_waits_for_it()
    {
        bool left = false;
        using var running = new ManualResetEventSlim();
        using PowerShell shell = Shell(reports => WaitAndLeave(reports, running, () => left = true));

        IAsyncResult invocation = shell.BeginInvoke();
        running.Wait(TestContext.Current.CancellationToken);
        shell.Stop();

        Assert.True(left);
        Assert.Throws<PipelineStoppedException>(() => shell.EndInvoke(invocation));
    }

    [Fact]
    public void A_warning_that_ends_the_cmdlet_waits_for_the_engine_too()
    {
        bool left = false;
        using var running = new ManualResetEventSlim();
        using PowerShell shell = Shell(reports =>
        {
            reports.Warning("enough");
            return WaitAndLeave(reports, running, () => left = true);
        });

        Assert.ThrowsAny<RuntimeException>(() => shell.AddParameter("WarningAction", "Stop").Invoke());
        Assert.True(left);
    }

    [Theory]
    [InlineData("id", "DeviceFull", ErrorCategory.LimitsExceeded)]
    [InlineData("file", "FileOperationFailed", ErrorCategory.PermissionDenied)]
    [InlineData("io", "FileOperationFailed", ErrorCategory.DeviceError)]
    public void Errors_of_the_engine_keep_their_id(string kind, string errorId, ErrorCategory category)
    {
        using PowerShell shell = Shell(_ => throw kind switch
        {
            "id" => new BackupException(ErrorIds.DeviceFull, ErrorKind.NoSpace, "No room.", "/device"),
            "file" => new NasBackup.Files.FileSystemException(NasBackup.Files.FileProblem.AccessDenied, "read", "/f", "no"),
            _ => new IOException("broken"),
        });

        Assert.Empty(shell.Invoke());
        ErrorRecord record = Assert.Single(shell.Streams.Error);
        Assert.Equal((errorId, category), (record.FullyQualifiedErrorId.Split(',')[0], record.CategoryInfo.Category));
    }

    private static string WaitAndLeave(EngineReports reports, ManualResetEventSlim running, Action leave)
    {
        running.Set();
        reports.Stopped.WaitHandle.WaitOne();
        // Leaving cleanly takes its time.
        Thread.Sleep(200);
        leave();
        return "left";
    }

    private static PowerShell Shell(Func<EngineReports, string> work)
    {
        var state = InitialSessionState.CreateDefault2();
        state.Commands.Add(new SessionStateCmdletEntry("Test-Engine", typeof(TestEngineCommand), helpFileName: null));
        return PowerShell.Create(state).AddCommand("Test-Engine").AddParameter("Work", work);
    }
}

/// <summary>A cmdlet whose work the test gives.</summary>
[Cmdlet(VerbsDiagnostic.Test, "Engine")]
public sealed class TestEngineCommand : NasCmdlet
{
    [Parameter(Mandatory = true)]
    public object? Work { get; set; }

    protected override void Process() => WriteObject(RunEngine("Testing", (Func<EngineReports, string>)Work!));
}
