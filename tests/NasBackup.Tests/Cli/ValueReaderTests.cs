using System.Collections;
using System.Management.Automation;
using NasBackup.Cli;
using NasBackup.Cli.Arguments;
using Xunit;

namespace NasBackup.Tests.Cli;

public sealed class ValueReaderTests
{
    [Theory]
    [InlineData("a", new[] { "a" })]
    [InlineData("a,b", new[] { "a", "b" })]
    [InlineData("a,,b", new[] { "a,b" })]
    [InlineData("a,,,b", new[] { "a,", "b" })]
    [InlineData("", new[] { "" })]
    public void Lists_are_split_at_commas_and_two_are_one_of_the_value(string text, string[] expected) =>
        Assert.Equal(expected, ValueReader.SplitList(text));

    [Theory]
    [InlineData(typeof(string[]))]
    [InlineData(typeof(List<string>))]
    [InlineData(typeof(int[]))]
    [InlineData(typeof(ArrayList))]
    public void Every_kind_of_list_is_split(Type type) => Assert.Equal(new[] { "1", "2" }, ValueReader.Read("1,2", type));

    [Theory]
    [InlineData(typeof(string))]
    [InlineData(typeof(TimeSpan))]
    [InlineData(typeof(object))]
    public void A_single_value_keeps_its_commas(Type type) => Assert.Equal("1,2", ValueReader.Read("1,2", type));

    [Theory]
    [InlineData("$true", true)]
    [InlineData("False", false)]
    [InlineData("1", true)]
    [InlineData("maybe", "maybe")]
    public void Flags_are_read_as_the_shell_writes_them(string text, object expected)
    {
        Assert.Equal(expected, ValueReader.Read(text, typeof(SwitchParameter)));
        Assert.Equal(expected, ValueReader.Read(text, typeof(bool?)));
    }

    [Fact]
    public void A_table_is_read_as_a_literal()
    {
        var table = Assert.IsType<Hashtable>(ValueReader.Read("@{ '/export' = '/mnt/a, b'; n = 2 }", typeof(Hashtable)));
        Assert.Equal("/mnt/a, b", table["/export"]);
        Assert.Equal(2, table["n"]);
    }

    [Theory]
    [InlineData("@{ a = (Get-Date) }")]
    [InlineData("@{ a = $(throw 'run') }")]
    [InlineData("@{ a = ")]
    public void Code_in_a_table_is_refused_and_not_run(string text) =>
        Assert.Throws<UsageException>(() => ValueReader.Read(text, typeof(IDictionary)));

    [Theory]
    [InlineData("Get-Date -Format 'a,b'")]
    [InlineData("{ Get-Date -Format 'a,b' }")]
    public void A_script_is_read_with_or_without_braces(string text)
    {
        var script = Assert.IsType<ScriptBlock>(ValueReader.Read(text, typeof(ScriptBlock)));
        Assert.Equal("Get-Date -Format 'a,b'", script.ToString().Trim());
    }

    [Fact]
    public void A_script_that_cannot_be_parsed_is_wrong_usage() =>
        Assert.Throws<UsageException>(() => ValueReader.Read("if (", typeof(ScriptBlock)));
}
