using System.Text.Json;
using NasBackup.Formats;
using Xunit;

namespace NasBackup.Tests.Formats;

public class StrictEnumConverterTests
{
    private static readonly JsonSerializerOptions Options = new() { Converters = { new StrictEnumConverter<BackupStatus>() } };

    [Theory]
    [InlineData(BackupStatus.Completed)]
    [InlineData(BackupStatus.CompletedWithErrors)]
    [InlineData(BackupStatus.TakenOver)]
    public void Writes_a_value_by_its_name_and_reads_it_back(BackupStatus status)
    {
        string text = JsonSerializer.Serialize(status, Options);

        Assert.Equal($"\"{status}\"", text);
        Assert.Equal(status, JsonSerializer.Deserialize<BackupStatus>(text, Options));
    }

    [Theory]
    [InlineData("0")]
    [InlineData("\"0\"")]
    [InlineData("\"completed\"")]
    [InlineData("\"Completed, Failed\"")]
    [InlineData("\" Completed\"")]
    [InlineData("\"\"")]
    [InlineData("null")]
    public void Refuses_what_is_not_exactly_a_name(string text)
        => Assert.Throws<JsonException>(() => JsonSerializer.Deserialize<BackupStatus>(text, Options));

    [Fact]
    public void Does_not_write_a_value_that_has_no_name()
        => Assert.Throws<JsonException>(() => JsonSerializer.Serialize((BackupStatus)999, Options));
}
