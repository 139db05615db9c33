using System.Management.Automation;
using NasBackup.Cmdlets.Parameters;

namespace NasBackup.Tests.Cmdlets;

public sealed class ConverterTests
{
    public static TheoryData<object, double> Durations => new()
    {
        { 5, 5 },
        { 0.5, 0.5 },
        { "5", 5 },
        { " 2.5 ", 2.5 },
        { "5s", 5 },
        { "250ms", 0.25 },
        { "10m", 600 },
        { "2h", 7200 },
        { "1d", 86400 },
        { "1h 30m", 5400 },
        { "00:00:05", 5 },
        { TimeSpan.FromSeconds(7), 7 },
        { new PSObject("3S"), 3 },
    };

    [Theory]
    [MemberData(nameof(Durations))]
    public void A_duration_is_seconds_text_or_a_TimeSpan(object given, double seconds)
        => Assert.Equal(TimeSpan.FromSeconds(seconds), new DurationTransformationAttribute().Transform(null!, given));

    [Theory]
    [InlineData("soon")]
    [InlineData("5 parsecs")]
    [InlineData("-5")]
    [InlineData(-1)]
    [InlineData("1e300")]
    [InlineData("NaN")]
    [InlineData(true)]
    public void What_is_no_duration_is_refused_with_the_ways_to_write_one(object given)
    {
        var error = Assert.Throws<ArgumentTransformationMetadataException>(() => new DurationTransformationAttribute().Transform(null!, given));
        Assert.Contains("10m", error.Message, StringComparison.Ordinal);
    }

    public static TheoryData<object, long> Sizes => new()
    {
        { 4096, 4096 },
        { 1.5, 2 },
        { "512", 512 },
        { "1KB", 1024 },
        { "1KiB", 1024 },
        { "1.5 MiB", 1_572_864 },
        { "2gb", 2_147_483_648 },
        { "1TiB", 1_099_511_627_776 },
        { "100MB/s", 104_857_600 },
        { new PSObject(10L), 10 },
    };

    [Theory]
    [MemberData(nameof(Sizes))]
    public void A_size_means_the_same_as_in_the_shell(object given, long bytes)
        => Assert.Equal(bytes, new SizeTransformationAttribute().Transform(null!, given));

    [Theory]
    [InlineData("much")]
    [InlineData("-1")]
    [InlineData("1XB")]
    [InlineData(-1)]
    [InlineData("99999999999TB")]
    public void What_is_no_size_is_refused_with_the_ways_to_write_one(object given)
    {
        var error = Assert.Throws<ArgumentTransformationMetadataException>(() => new SizeTransformationAttribute().Transform(null!, given));
        Assert.Contains("KiB", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_speed_of_nothing_is_refused()
    {
        var speed = new SizeTransformationAttribute { Minimum = 1 };

        Assert.Throws<ArgumentTransformationMetadataException>(() => speed.Transform(null!, 0));
        Assert.Null(speed.Transform(null!, ""));
        Assert.Equal(1L, speed.Transform(null!, "1"));
    }

    [Fact]
    public void A_plan_is_an_id_or_anything_that_names_one()
    {
        var transform = new PlanTransformationAttribute();
        var result = new PSObject();
        result.Properties.Add(new PSNoteProperty("PlanId", "20260101T000000Z-abcdef"));
        result.Properties.Add(new PSNoteProperty("Share", "/share"));

        Assert.Equal(new PlanReference("x", null), transform.Transform(null!, "x"));
        Assert.Equal(new PlanReference("20260101T000000Z-abcdef", "/share"), transform.Transform(null!, result));
        Assert.IsType<Version>(transform.Transform(null!, new Version(1, 0)));
    }
}
