using NasBackup.Coordination;
using NasBackup.Files;
using NasBackup.Jobs;
using NasBackup.Planning;
using NasBackup.Tests.Coordination;
using NasBackup.Tests.Files;

namespace NasBackup.Tests.Security;

/// <summary>Whoever can write to the share can ask for anything, and gets no more than the node's own settings allow.</summary>
public sealed class AllowedPathsTests : IDisposable
{
    private readonly TempFolder _temp = new();

    public AllowedPathsTests()
    {
        _temp.Folder("data/projects");
        _temp.Folder("secret");
        _temp.Folder("device");
        _temp.Tree.CreateSymbolicLink(FilePath.FromText("data/link"), "../secret"u8);
    }

    [Theory]
    [InlineData("/data", true)]
    [InlineData("/data/projects", true)]
    [InlineData("/secret", false)]
    [InlineData("/data2", false)]
    [InlineData("", false)]
    public void A_source_must_lie_in_an_allowed_folder(string source, bool isAllowed)
        => AssertRefused(isAllowed, ErrorIds.SourceNotAllowed, () => AllowedPaths.ThrowIfNotAllowed(Environment(), Request(source, "/device")));

    [Theory]
    [InlineData("/device", true)]
    [InlineData("/device/below", true)]
    [InlineData("/data", false)]
    public void A_device_must_lie_in_an_allowed_folder(string device, bool isAllowed)
        => AssertRefused(isAllowed, ErrorIds.DestinationNotAllowed, () => AllowedPaths.ThrowIfNotAllowed(Environment(), Request("/data", device)));

    [Fact]
    public void A_path_map_from_the_share_does_not_lead_past_the_settings()
        => AssertRefused(
            isAllowed: false,
            ErrorIds.SourceNotAllowed,
            () => AllowedPaths.ThrowIfNotAllowed(Environment(path => path.Replace("/data", "/secret", StringComparison.Ordinal)), Request("/data", "/device")));

    [Fact]
    public void A_link_in_an_allowed_folder_does_not_lead_out_of_it()
    {
        AssertRefused(isAllowed: true, ErrorIds.SourceNotAllowed, () => Environment().OpenSource(_temp.Path + "/data/projects").Dispose());
        AssertRefused(isAllowed: false, ErrorIds.SourceNotAllowed, () => Environment().OpenSource(_temp.Path + "/data/link").Dispose());
    }

    [Fact]
    public void A_folder_of_the_settings_may_itself_be_reached_through_a_link()
    {
        _temp.Tree.CreateSymbolicLink(FilePath.FromText("volume"), "data"u8);
        NodeEnvironment environment = Environment(settings: new NodeSettings { AllowedSource = [_temp.Path + "/volume"] });

        AssertRefused(isAllowed: true, ErrorIds.SourceNotAllowed, () => environment.OpenSource(_temp.Path + "/volume/projects").Dispose());
        AssertRefused(isAllowed: false, ErrorIds.SourceNotAllowed, () => environment.OpenSource(_temp.Path + "/volume/link").Dispose());
    }

    [Fact]
    public void Without_settings_everything_is_allowed()
        => AssertRefused(
            isAllowed: true, ErrorIds.SourceNotAllowed, () => AllowedPaths.ThrowIfNotAllowed(Environment(settings: new NodeSettings()), Request("/secret", "/data")));

    [Theory]
    [InlineData(0x1B6, "666")]
    [InlineData(0x1B4, "664")]
    public void Settings_that_others_can_write_are_refused_for_they_name_commands(int mode, string shown)
    {
        FilePath file = _temp.Write("node.json", "{}");
        _temp.Tree.SetMetadata(file, _temp.Tree.GetStatus(file).Metadata with { Mode = mode }, EntryKind.File);

        BackupException error = Assert.Throws<BackupException>(() => NodeSettings.ReadFrom(_temp.Path + "/node.json"));

        Assert.Equal(ErrorIds.NodeSettingsInvalid, error.ErrorId);
        Assert.Contains(shown, error.Message, StringComparison.Ordinal);
        _temp.Tree.SetMetadata(file, _temp.Tree.GetStatus(file).Metadata with { Mode = 0x1A4 }, EntryKind.File);
        Assert.Null(NodeSettings.ReadFrom(_temp.Path + "/node.json").AllowedSource);
    }

    public void Dispose() => _temp.Dispose();

    private static void AssertRefused(bool isAllowed, string errorId, Action action)
    {
        if (isAllowed)
        {
            action();
            return;
        }

        BackupException error = Assert.Throws<BackupException>(action);
        Assert.Equal(errorId, error.ErrorId);
    }

    private RequestDocument Request(string source, string device)
        => TestShare.RequestOf("20260102T030405Z-abc234", ["nas1"], _temp.Path + source) with { Device = _temp.Path + device };

    private NodeEnvironment Environment(Func<string, string>? map = null, NodeSettings? settings = null) => new()
    {
        ToOwnPath = map ?? (path => path),
        Open = FileTree.Open,
        CostOf = _ => new NodeCost(1, 0),
        TakeTurn = (_, _) => null,
        Log = (_, _) => { },
        Settings = settings ?? new NodeSettings { AllowedSource = [_temp.Path + "/data"], AllowedDestination = [_temp.Path + "/device/"] },
    };
}
