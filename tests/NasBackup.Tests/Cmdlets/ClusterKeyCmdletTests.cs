using NasBackup.Tests.Support;

namespace NasBackup.Tests.Cmdlets;

public sealed class ClusterKeyCmdletTests : IDisposable
{
    private readonly Workplace _place = new();

    private string KeyPath => Path.Combine(_place.Root, "cluster.key");

    public void Dispose() => _place.Dispose();

    [Fact]
    public void A_key_stands_in_a_file_that_its_owner_alone_reads_and_is_shown_nowhere_else()
    {
        var key = _place.Shell.Run("New-NasClusterKey", new() { ["Path"] = KeyPath }).Single<ClusterKey>();

        Assert.Equal((KeyPath, 1, 16), (key.Path, key.Keys, key.KeyId.Length));
        string secret = File.ReadAllLines(KeyPath)[^1].Split(' ')[^1];
        Assert.DoesNotContain(secret, key.ToString(), StringComparison.Ordinal);
        if (!OperatingSystem.IsWindows())
        {
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(KeyPath));
        }
    }

    [Fact]
    public void A_key_file_is_added_to_and_never_overwritten()
    {
        var first = _place.Shell.Run("New-NasClusterKey", new() { ["Path"] = KeyPath }).Single<ClusterKey>();

        Assert.Equal("KeyFileExists", _place.Shell.Run("New-NasClusterKey", new() { ["Path"] = KeyPath }).ErrorId);
        var second = _place.Shell.Run("New-NasClusterKey", new() { ["Path"] = KeyPath, ["Append"] = true }).Single<ClusterKey>();

        Assert.Equal(2, second.Keys);
        Assert.NotEqual(first.KeyId, second.KeyId);
    }

    [Fact]
    public void WhatIf_makes_no_key()
    {
        _place.Shell.Run("New-NasClusterKey", new() { ["Path"] = KeyPath, ["WhatIf"] = true });

        Assert.False(File.Exists(KeyPath));
    }
}
