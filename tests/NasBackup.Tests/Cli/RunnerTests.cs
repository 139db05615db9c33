using System.Text.Json;
using NasBackup.Tests.Support;
using Xunit;

namespace NasBackup.Tests.Cli;

/// <summary>The built runner with a module of scripts: what it takes, what it prints, how it ends.</summary>
public sealed class RunnerTests(ScriptModule module) : IClassFixture<ScriptModule>
{
    [Fact]
    public void The_version_is_printed()
    {
        using var runner = Run("--version");
        Assert.Equal(0, runner.ExitCode);
        Assert.Matches(@"^nasbackup \d+\.\d+\.\d+\n$", runner.Output);
    }

    [Fact]
    public void The_usage_names_the_cmdlets()
    {
        using var runner = Run();
        Assert.Equal(0, runner.ExitCode);
        Assert.Contains("  Test-Value\n", runner.Output, StringComparison.Ordinal);
    }

    [Fact]
    public void Values_reach_the_cmdlet_as_they_were_typed()
    {
        using var runner = Run(
            "--json", "test-value", "-Path", "a,b,,c,$HOME \"q\"", "-Text:it's $(1)\nnew", "-max", "5KB", "-Cou", "-5", "-Really", "$false",
            "-Flag", "-Map", "@{ a = 'b' }", "-Action", "1 + 1");
        Assert.Equal(0, runner.ExitCode);
        var result = Assert.Single(runner.Objects);
        Assert.Equal(["a", "b,c", "$HOME \"q\""], result.GetProperty("Path").EnumerateArray().Select(static item => item.GetString()));
        Assert.Equal("it's $(1)\nnew", result.GetProperty("Text").GetString());
        Assert.Equal(5120, result.GetProperty("MaxBytes").GetInt64());
        Assert.Equal(-5, result.GetProperty("Count").GetInt32());
        Assert.False(result.GetProperty("Really").GetBoolean());
        Assert.True(result.GetProperty("Flag").GetBoolean());
        Assert.Equal("b", result.GetProperty("Map").GetProperty("a").GetString());
        Assert.Equal(2, result.GetProperty("Result").GetInt32());
        Assert.Equal(module.Folder, result.GetProperty("Folder").GetString());
    }

    [Fact]
    public void Positional_values_are_split_only_where_a_list_is_meant()
    {
        using var runner = Run("--json", "Test-Value", "x,y", "1,2");
        var result = Assert.Single(runner.Objects);
        Assert.Equal(2, result.GetProperty("Path").GetArrayLength());
        Assert.Equal("1,2", result.GetProperty("Text").GetString());
    }

    [Theory]
    [InlineData("CommandNotFound", "Get-Nothing")]
    [InlineData("CommandNotFound", "Remove-Module", "-Name", "NasBackup")]
    [InlineData("NamedParameterNotFound", "Test-Value", "-Nothing", "1")]
    [InlineData("MissingArgument", "Test-Value", "-Count")]
    [InlineData("ParameterArgumentTransformationError", "Test-Value", "-Count", "many")]
    [InlineData("ParameterArgumentValidationError", "Test-Value", "-Kind", "C")]
    [InlineData("MissingMandatoryParameter", "Remove-Entry")]
    [InlineData("InvalidHashtable", "Test-Value", "-Map", "@{ a = (Get-Date) }")]
    [InlineData("CommandNotFoundException", "-Command", "Get-Nothing")]
    [InlineData("MissingEndCurlyBrace", "-Command", "{ 1")]
    public void Wrong_usage_ends_with_64(string errorId, params string[] args)
    {
        using var runner = Run(["--json", .. args]);
        Assert.Equal([errorId], runner.ErrorIds);
        Assert.Equal(64, runner.ExitCode);
        Assert.Empty(runner.Output);
    }

    [Fact]
    public void A_mistake_inside_a_cmdlet_is_an_error_and_no_wrong_usage()
    {
        using var runner = Run("Test-Misuse");
        Assert.Equal(1, runner.ExitCode);
    }

    [Theory]
    [InlineData("Completed", 0)]
    [InlineData("TakenOver", 0)]
    [InlineData("CompletedWithErrors", 2)]
    [InlineData("Stopped", 1)]
    [InlineData("Failed", 1)]
    public void A_results_status_decides_the_exit_code(string status, int expected)
    {
        using var runner = Run("--json", "New-Result", "-Status", status);
        Assert.Equal(expected, runner.ExitCode);
    }

    [Fact]
    public void Looking_up_what_was_stopped_is_no_failure()
    {
        using var runner = Run("--json", "-Command", "Get-Result Stopped | Where-Object Status");
        Assert.Equal(0, runner.ExitCode);
        Assert.Equal("Stopped", Assert.Single(runner.Objects).GetProperty("Status").GetString());
    }

    [Fact]
    public void Failed_entries_tell_more_than_the_errors_that_reported_them()
    {
        using var runner = Run("--json", "Test-Error", "-Status", "CompletedWithErrors");
        Assert.Equal(2, runner.ExitCode);
    }

    [Fact]
    public void Errors_and_warnings_are_json_lines_on_stderr()
    {
        using var runner = Run("--json", "Test-Error", "-Status", "Completed");
        Assert.Equal(1, runner.ExitCode);
        Assert.Single(runner.Objects);
        Assert.Collection(
            runner.Messages,
            static warning => Assert.Equal("Careful.", warning.GetProperty("Warning").GetString()),
            static error => Assert.Equal("""{"ErrorId":"ThingBroken","Message":"It broke.","Target":"/the/target"}""", JsonSerializer.Serialize(error)));
    }

    [Fact]
    public void Errors_as_text_name_the_cmdlet_and_the_id()
    {
        using var runner = Run("Test-Stop");
        Assert.Equal(1, runner.ExitCode);
        Assert.Equal("Test-Stop: It broke. (ThingMissing)\n", runner.Errors);
    }

    [Fact]
    public void Text_is_made_by_the_modules_views_without_colour_where_it_is_redirected()
    {
        using var runner = Run("New-Result", "-Status", "fine");
        Assert.Contains("How it went\n-----------\nit is fine\n", Unpadded(runner.OutputLines), StringComparison.Ordinal);
        Assert.DoesNotContain('\e', runner.Output);
    }

    [Fact]
    public void Nobody_is_asked_where_nobody_can_answer()
    {
        using var runner = Run("--json", "-Command", "Remove-Module NasBackup -Confirm");
        Assert.Equal(1, runner.ExitCode);
        Assert.Equal(["ConfirmationNeeded"], runner.ErrorIds);
    }

    [Fact]
    public void A_question_answered_beforehand_is_not_asked()
    {
        using var runner = Run("Remove-Entry", "old", "-Confirm:$false");
        Assert.Equal("removed old\n", runner.Output);
    }

    [Fact]
    public void WhatIf_does_nothing_and_leaves_stdout_to_the_objects()
    {
        using var runner = Run("--json", "Remove-Entry", "old", "-WhatIf");
        Assert.Equal(0, runner.ExitCode);
        Assert.Empty(runner.Output);
        Assert.Contains("What if", Assert.Single(runner.Messages).GetProperty("Information").GetString()!, StringComparison.Ordinal);
    }

    [Fact]
    public void Help_explains_a_cmdlet()
    {
        using var runner = Run("help", "Test-Value");
        Assert.Equal(0, runner.ExitCode);
        Assert.Contains("-MaxBytes", runner.Output, StringComparison.Ordinal);
    }

    [Fact]
    public void A_module_that_cannot_be_loaded_is_said()
    {
        using var runner = RunnerProcess.Run(
            new RunnerSettings { Environment = new Dictionary<string, string> { ["NASBACKUP_MODULE"] = "/no/such/module.psd1" } },
            "--json",
            "Get-NasNode");
        Assert.Equal(1, runner.ExitCode);
        Assert.Equal("Modules_ModuleNotFound", Assert.Single(runner.ErrorIds));
    }

    [Fact]
    public void Progress_in_a_log_is_a_line_now_and_then()
    {
        using var runner = Run("Test-Wait", "-Seconds", "1");
        Assert.Equal("nas1: 50 %, step 0\n", runner.Errors);
    }

    private RunnerProcess Run(params string[] args) => RunnerProcess.Run(module.Settings, args);

    private static string Unpadded(IEnumerable<string> lines) => string.Concat(lines.Select(static line => line.TrimEnd() + "\n"));
}
