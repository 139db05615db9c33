using System.Text;
using NasBackup.Jobs;

namespace NasBackup.Tests.Coordination;

public sealed class NodeSettingsDefaultsTests
{
    [Fact]
    public void What_a_settings_file_leaves_out_is_as_without_a_file()
    {
        NodeSettings read = NodeSettings.Parse(Encoding.UTF8.GetBytes("""{ "failoverCommand": ["/bin/true"] }"""), "node.json");
        var defaults = new NodeSettings();

        Assert.Equal(["/bin/true"], read.Failover.Command);
        Assert.Equal(defaults.Failover.Timeout, read.Failover.Timeout);
        Assert.Equal(defaults.Snapshots.Timeout, read.Snapshots.Timeout);
        Assert.Equal("20%ORIGIN", read.Snapshots.Space);
        Assert.Empty(read.TrustedOwners);
        Assert.Empty(read.TrustedGroups);
    }

    [Theory]
    [InlineData("""{ "allowedSource": [null] }""", "allowedSource")]
    [InlineData("""{ "allowedDestination": [null] }""", "allowedDestination")]
    [InlineData("""{ "failoverCommand": [null] }""", "failoverCommand")]
    public void A_null_in_a_settings_file_is_refused_with_the_files_and_the_propertys_name(string json, string property)
    {
        BackupException refused = Assert.Throws<BackupException>(() => NodeSettings.Parse(Encoding.UTF8.GetBytes(json), "node.json"));

        Assert.Equal(ErrorIds.NodeSettingsInvalid, refused.ErrorId);
        Assert.Contains("node.json", refused.Message, StringComparison.Ordinal);
        Assert.Contains(property, refused.Message, StringComparison.Ordinal);
    }
}
