using NasBackup.Coordination;
using NasBackup.Files;
using NasBackup.Jobs;
using NasBackup.Tests.Files;

namespace NasBackup.Tests.Security;

/// <summary>A node obeys only what nobody else could have written, and says by path and mode what it does not.</summary>
public sealed class ShareGuardTests : IDisposable
{
    private const int Everyone = 0x1FF; // 0777
    private const int Sticky = 0x3FF;   // 01777

    private readonly TempFolder _temp = new();
    private readonly string _root;
    private readonly BackupPlan? _plan;

    public ShareGuardTests()
    {
        // The test's own folder is everybody's; what a user would have above a share is /tmp, which is sticky.
        SetMode("", Sticky);
        _temp.Folder("source");
        _temp.Folder("device");
        _temp.Write("source/file");
        _root = _temp.Path + "/share";
        using BackupCluster cluster = BackupCluster.Open(_root, create: true);
        _plan = cluster.CreatePlan(Request(), null, null, null, CancellationToken.None);
    }

    [Fact]
    public void A_share_that_only_its_owner_can_write_to_is_obeyed_also_below_a_sticky_folder()
        => Assert.Equal(BackupStatus.Completed, Run(new BackupJobOptions()).Status);

    [Theory]
    [InlineData("share", 0x1FF, "0777", "everyone")]
    [InlineData("share", 0x1F8, "0770", "group")]
    [InlineData("share/plans", 0x1FF, "0777", "everyone")]
    [InlineData("", 0x1FF, "0777", "above it")]
    public void A_folder_that_others_can_write_to_is_not_obeyed_and_named_with_its_mode(string folder, int mode, string shown, string words)
    {
        SetMode(folder, mode);

        BackupException error = Assert.Throws<BackupException>(() => Run(new BackupJobOptions()));

        Assert.Equal(ErrorIds.ShareInsecure, error.ErrorId);
        Assert.Contains(shown, error.Message, StringComparison.Ordinal);
        Assert.Contains(words, error.Message, StringComparison.Ordinal);
        Assert.Contains($"{_temp.Path}{(folder.Length == 0 ? "" : "/" + folder)}'", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("request")]
    [InlineData("planning/2")]
    public void An_order_that_others_could_have_written_is_not_obeyed(string file)
    {
        string path = $"share/plans/{_plan!.Id[..6]}/{_plan.Id}/{file}";
        SetMode(path, 0x1B6);

        BackupException error = Assert.Throws<BackupException>(() => Run(new BackupJobOptions()));

        Assert.Equal(ErrorIds.ShareInsecure, error.ErrorId);
        Assert.Contains(path, error.Message, StringComparison.Ordinal);
        Assert.Contains("0666", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void An_order_of_another_user_is_not_obeyed_unless_the_settings_trust_that_user()
    {
        Assert.SkipUnless(Environment.IsPrivilegedProcess, "Only root can give files away.");
        FilePath request = FilePath.FromText($"plans/{_plan!.Id[..6]}/{_plan.Id}/request");
        using LinuxFileTree share = LinuxFileTree.Open(_root);
        share.SetMetadata(request, share.GetStatus(request).Metadata with { Owner = 4711 }, EntryKind.File);

        BackupException error = Assert.Throws<BackupException>(() => Run(new BackupJobOptions()));
        Assert.Equal(ErrorIds.ShareInsecure, error.ErrorId);
        Assert.Contains("user 4711", error.Message, StringComparison.Ordinal);

        new ShareGuard([4711], []).Check(share, request, share.GetStatus(request));
    }

    [Fact]
    public void A_group_that_the_settings_trust_may_write()
    {
        SetMode("share", 0x1F8);
        using LinuxFileTree share = LinuxFileTree.Open(_root);
        uint group = share.GetStatus(FilePath.Root).Metadata.Group;

        Assert.Null(new ShareGuard([], [group]).ProblemOf(share));
        Assert.NotNull(new ShareGuard([], [group + 1]).ProblemOf(share));
    }

    [Fact]
    public void The_brave_are_warned_at_each_run()
    {
        SetMode("share", Everyone);
        var warnings = new List<string>();

        BackupResult result = Run(new BackupJobOptions { AllowInsecureShare = true, Warning = text => warnings.Add(text) });

        Assert.Equal(BackupStatus.Completed, result.Status);
        Assert.Contains(warnings, text => text.StartsWith("ShareInsecure", StringComparison.Ordinal) && text.Contains("0777", StringComparison.Ordinal));
    }

    [Fact]
    public void No_plan_is_made_where_others_can_write()
    {
        SetMode("share", Everyone);
        using BackupCluster cluster = BackupCluster.Open(_root);

        BackupException error = Assert.Throws<BackupException>(() => cluster.CreatePlan(Request(), null, null, null, CancellationToken.None));

        Assert.Equal(ErrorIds.ShareInsecure, error.ErrorId);
    }

    public void Dispose() => _temp.Dispose();

    private BackupRequest Request() => new()
    {
        Path = [_temp.Path + "/source"],
        Destination = _temp.Path + "/device",
        Nodes = ["nas1"],
        Durability = Durability.None,
    };

    private BackupResult Run(BackupJobOptions options)
    {
        using BackupCluster cluster = BackupCluster.Open(_root);
        return cluster.RunJob(_plan!.Id, options, CancellationToken.None);
    }

    private void SetMode(string path, int mode)
    {
        FilePath file = FilePath.FromText(path);
        FileStatus status = _temp.Tree.GetStatus(file);
        _temp.Tree.SetMetadata(file, status.Metadata with { Mode = mode }, status.Kind);
    }
}
