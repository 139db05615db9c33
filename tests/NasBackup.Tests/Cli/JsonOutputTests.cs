using System.Collections;
using System.Management.Automation;
using NasBackup.Cli.Output;
using Xunit;

namespace NasBackup.Tests.Cli;

public sealed class JsonOutputTests
{
    public static TheoryData<object?, string> Values => new()
    {
        { null, "null" },
        { "a\"b\n", "\"a\\\"b\\n\"" },
        { TimeSpan.FromMilliseconds(1500), "1.5" },
        { new DateTime(2024, 1, 2, 3, 4, 5, DateTimeKind.Utc), "\"2024-01-02T03:04:05Z\"" },
        { new DateTimeOffset(2024, 1, 2, 3, 4, 5, TimeSpan.FromHours(2)), "\"2024-01-02T01:04:05Z\"" },
        { DayOfWeek.Monday, "\"Monday\"" },
        { long.MaxValue, "9223372036854775807" },
        { double.NaN, "null" },
        { new SwitchParameter(isPresent: true), "true" },
        { new[] { 1, 2 }, "[1,2]" },
        { new Hashtable { ["a"] = 1 }, "{\"a\":1}" },
        { new Version(1, 2), "\"1.2\"" },
        { new { Name = "é", Inner = new { Size = 3L } }, "{\"Name\":\"é\",\"Inner\":{\"Size\":3}}" },
    };

    [Theory]
    [MemberData(nameof(Values), DisableDiscoveryEnumeration = true)]
    public void Values_are_written_as_programs_expect_them(object? value, string expected) =>
        Assert.Equal(expected, JsonOutput.Line(value));

    [Fact]
    public void Properties_added_by_the_shell_are_written_and_broken_ones_left_out()
    {
        var value = new PSObject(new Broken());
        value.Properties.Add(new PSNoteProperty("Added", 1));
        Assert.Equal("{\"Added\":1,\"Good\":2}", JsonOutput.Line(value));
    }

    [Fact]
    public void What_refers_to_itself_ends_at_the_depth_limit()
    {
        var table = new Hashtable();
        table["self"] = table;
        Assert.Equal(JsonOutput.Depth + 1, JsonOutput.Line(table).Split("{\"self\":").Length - 1);
    }

    private sealed class Broken
    {
        public int Good => 2;

        public int Bad => throw new InvalidOperationException();
    }
}
