using NasBackup.Coordination;

namespace NasBackup.Tests.Coordination;

public sealed class PathMapsTests
{
    private static readonly Dictionary<string, string> Map = new(StringComparer.Ordinal)
    {
        ["/export"] = "/mnt/nas1",
        ["/export/data"] = "/data",
        ["nas2:/export/data"] = "/local/data",
        ["nas3:/export"] = "/nas3",
    };

    [Theory]
    [InlineData("/export/home/a", null, "/mnt/nas1/home/a")]
    [InlineData("/export/data", null, "/data")]
    [InlineData("/export/data/x", "nas1", "/data/x")]
    [InlineData("/export/data/x", "NAS2", "/local/data/x")]
    [InlineData("/export/home", "nas3", "/nas3/home")]
    [InlineData("/export/data/x", "nas3", "/data/x")]
    [InlineData("/exporter", null, "/exporter")]
    [InlineData("/", null, "/")]
    public void The_longest_prefix_wins_and_the_owner_s_before_one_that_always_holds(string path, string? owner, string expected)
        => Assert.Equal(expected, PathMaps.Translate(Map, path, owner));

    [Fact]
    public void The_place_under_the_known_owner_is_looked_at_first_and_those_under_the_others_too()
        => Assert.Equal(["/local/data/x", "/data/x"], PathMaps.Candidates(Map, "/export/data/x", "nas2"));

    [Fact]
    public void A_map_is_read_backwards_for_what_lies_beside_a_source()
        => Assert.Equal("/export/data/.nasbackup-snapshots/s", PathMaps.TranslateBack(Map, "/data/.nasbackup-snapshots/s"));

    [Fact]
    public void A_root_can_be_mapped()
        => Assert.Equal("/host/etc", PathMaps.Translate(new Dictionary<string, string>(StringComparer.Ordinal) { ["/"] = "/host" }, "/etc"));
}
