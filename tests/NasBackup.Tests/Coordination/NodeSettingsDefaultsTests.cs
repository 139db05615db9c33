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
}
