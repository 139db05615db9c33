using System.Text.Json;
using NasBackup.Tests.Support;

namespace NasBackup.Tests.Cluster;

public sealed class IncrementalTakeoverTests : IDisposable
{
    private readonly TestCluster _cluster = new();

    public void Dispose() => _cluster.Dispose();

    [Fact]
    public void A_later_owner_links_to_the_older_set_as_the_first_would_have()
    {
        EveryKindOfFile.Make(_cluster.Source);
        Thread.Sleep(2600);
        string first = _cluster.Plan([], "n1", failureTimeout: 30);
        TestCluster.Result(_cluster.StartNode(first, "n1"));
        EveryKindOfFile.Shell("cd \"$1\" && echo changed > plain && rm -r folder && echo now > folder", _cluster.Source);

        string second = _cluster.Plan([], "n1,n2", failureTimeout: 1);
        JsonElement result = TestCluster.Result(_cluster.StartNode(second, "n2"));
        Assert.NotEmpty(result.GetProperty("Takeovers").EnumerateArray());
        Assert.Equal("", EveryKindOfFile.Differences(_cluster.Source, Data(second)));
        JsonElement set = _cluster.SetJson(second);
        Assert.Equal(("Incremental", first, 2), (set.GetProperty("type").GetString(), set.GetProperty("base").GetString(), set.GetProperty("newEntries").GetInt32()));
        foreach (string file in (string[])["hard/one", "attributes/1", "holes/between", "large"])
        {
            Assert.Equal(Inode(first, file), Inode(second, file));
        }

        Assert.False(Directory.Exists(Path.Combine(_cluster.Device, second, ".take")));
    }

    private string Data(string plan) => Path.Combine(_cluster.Device, plan, "data", _cluster.Source.TrimStart('/'));

    private string Inode(string plan, string file) => EveryKindOfFile.Shell($"stat -c %i -- \"$1/{file}\"", Data(plan)).Trim();
}
