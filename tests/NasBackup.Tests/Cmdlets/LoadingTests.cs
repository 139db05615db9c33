using NasBackup.Tests.Support;

namespace NasBackup.Tests.Cmdlets;

public sealed class LoadingTests
{
    // In a process of its own: here the test host has all assemblies in its default context already.
    [Fact]
    public void What_the_engine_depends_on_is_loaded_in_a_context_of_the_modules_own()
    {
        using var place = new Workplace();
        using RunnerProcess runner = RunnerProcess.Run(
            "--json",
            "-Command",
            $"$null = Invoke-NasBackup -Share '{place.Share}' -Path '{place.Source}' -Destination '{place.Device}' -Node nas1; "
            + "foreach ($context in [Runtime.Loader.AssemblyLoadContext]::All) { foreach ($assembly in $context.Assemblies) { \"$($context.Name) $($assembly.GetName().Name)\" } }");

        Assert.True(runner.ExitCode == 0, runner.Describe());
        string[] loaded = [.. runner.Objects.Select(line => line.GetString()!)];
        Assert.Contains("Default NasBackup.Core", loaded);
        Assert.Contains("Default NasBackup.Cmdlets", loaded);
        Assert.Contains("NasBackup ZstdSharp", loaded);
        Assert.Contains("NasBackup System.IO.Hashing", loaded);
        Assert.DoesNotContain("Default ZstdSharp", loaded);
    }
}
