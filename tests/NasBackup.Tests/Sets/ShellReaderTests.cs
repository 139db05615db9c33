using System.Diagnostics;
using System.Text.RegularExpressions;
using NasBackup.Tests.Support;

namespace NasBackup.Tests.Sets;

/// <summary>The lines of docs/design.md that read a set without NasBackup, run as they stand there.</summary>
public sealed class ShellReaderTests : IDisposable
{
    private readonly Workplace _place = new();

    public ShellReaderTests()
    {
        File.WriteAllText(Path.Combine(_place.Source, "it's a \"name\""), "odd");
        Outcome outcome = _place.Shell.Run("Invoke-NasBackup", new() { ["Share"] = _place.Share, ["Path"] = _place.Source, ["Destination"] = _place.Device, ["Node"] = new[] { "nas1", "nas2" } });
        Set = outcome.Single<BackupResult>();
    }

    private BackupResult Set { get; }

    public void Dispose() => _place.Dispose();

    [Theory]
    [InlineData("folder/b.bin")]
    [InlineData("it's a \"name\"")]
    public void A_few_lines_of_shell_find_a_file_and_confirm_its_hash(string name)
    {
        (int exitCode, string output) = Run(Path.Combine(_place.Source, name));

        Assert.Equal(0, exitCode);
        Assert.EndsWith($"/{name}: OK\n", output, StringComparison.Ordinal);
        Assert.Equal(2, output.Split(": OK").Length - 1);
    }

    [Fact]
    public void They_notice_a_file_that_is_damaged()
    {
        File.WriteAllText(Path.Combine((string)Set.DataPath, "a.txt"), "b");

        (int exitCode, string output) = Run(Path.Combine(_place.Source, "a.txt"));

        Assert.NotEqual(0, exitCode);
        Assert.Contains("a.txt: FAILED", output, StringComparison.Ordinal);
    }

    private (int ExitCode, string Output) Run(string path)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux() && Tools.All(tool => File.Exists($"/usr/bin/{tool}")), "zstdcat, jq or xxh128sum is not installed.");
        string design = File.ReadAllText(Path.Combine(Path.GetDirectoryName(ModuleRunspace.ManifestPath)!, "..", "docs", "design.md"));
        string script = Regex.Match(design, @"### Reading a set with a shell\n.*?```sh\n(?<script>.*?)```", RegexOptions.Singleline, TimeSpan.FromSeconds(5)).Groups[1].Value;
        using Process process = Process.Start(new ProcessStartInfo("sh", ["-c", script, "find.sh", _place.Device, path]) { RedirectStandardOutput = true, RedirectStandardError = true, UseShellExecute = false })!;
        Task<string> errors = process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        string output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        _ = errors;
        return (process.ExitCode, output);
    }

    private static readonly string[] Tools = ["zstdcat", "jq", "xxh128sum"];
}
