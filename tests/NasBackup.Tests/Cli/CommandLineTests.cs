using NasBackup.Cli;
using Xunit;

namespace NasBackup.Tests.Cli;

public sealed class CommandLineTests
{
    [Fact]
    public void Nothing_asks_for_the_usage() => Assert.Equal(Request.Usage, CommandLine.Parse([]).Request);

    [Theory]
    [InlineData("--help")]
    [InlineData("-h")]
    [InlineData("help")]
    public void Help_alone_asks_for_the_usage(string word) => Assert.Equal(Request.Usage, CommandLine.Parse([word]).Request);

    [Fact]
    public void Help_and_a_name_explains_the_cmdlet()
    {
        var line = CommandLine.Parse(["help", "Get-NasNode", "-Full"]);
        Assert.Equal(("Get-Help", Request.Cmdlet), (line.Text, line.Request));
        Assert.Equal(["Get-NasNode", "-Full"], line.Arguments);
    }

    [Fact]
    public void A_cmdlet_and_a_question_mark_explains_it_too()
    {
        var line = CommandLine.Parse(["Get-NasNode", "-?"]);
        Assert.Equal("Get-Help", line.Text);
        Assert.Equal(["Get-NasNode"], line.Arguments);
    }

    [Fact]
    public void What_follows_the_cmdlet_is_left_untouched()
    {
        var line = CommandLine.Parse(["--json", "Invoke-NasBackup", "-Path", "--json", "-5", "--"]);
        Assert.True(line.Json);
        Assert.Equal("Invoke-NasBackup", line.Text);
        Assert.Equal(["-Path", "--json", "-5", "--"], line.Arguments);
    }

    [Fact]
    public void A_pipeline_is_taken_as_text()
    {
        var line = CommandLine.Parse(["-command", "Get-NasNode |", "Where-Object Name"]);
        Assert.Equal((Request.Script, "Get-NasNode | Where-Object Name"), (line.Request, line.Text));
    }

    [Theory]
    [InlineData("--yaml")]
    [InlineData("-Command")]
    public void An_unknown_option_or_a_missing_pipeline_is_refused(string word) =>
        Assert.Throws<UsageException>(() => CommandLine.Parse([word]));
}
