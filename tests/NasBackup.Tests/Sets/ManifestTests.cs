using System.Diagnostics;
using System.Text.Json;
using NasBackup.Files;
using NasBackup.Formats;
using NasBackup.Sets;
using NasBackup.Tests.Files;
using Xunit;

namespace NasBackup.Tests.Sets;

public sealed class ManifestTests : IDisposable
{
    private readonly TempFolder _temp = new();
    private readonly FinishedPlan _plan;

    public ManifestTests() => _plan = new FinishedPlan(_temp.Path);

    public void Dispose()
    {
        _plan.Dispose();
        _temp.Dispose();
    }

    [Fact]
    public void It_says_of_each_entry_what_is_in_the_set_and_who_put_it_there()
    {
        _plan.Finalise();
        Dictionary<FilePath, ManifestEntry> entries = _plan.ReadManifest().ToDictionary(entry => entry.Entry.Path);
        Assert.Equal(14, entries.Count);
        Assert.Equal(("n1", Hash128.Of("contents"u8), 8), (entries[FilePath.FromText("a/one")].Node, entries[FilePath.FromText("a/one")].Hash, entries[FilePath.FromText("a/one")].Entry.Size));
        Assert.Equal("n2", entries[FinishedPlan.Odd].Node);
        ManifestEntry linked = entries[FilePath.FromText("a/linked")];
        Assert.Equal(["a/linked2", "c/closed/linked4", "z/linked3"], linked.Entry.OtherNames!.Select(name => name.ToString()));
        ManifestEntry link = entries[FilePath.FromText("c/link")];
        Assert.Equal((EntryKind.SymbolicLink, Hash128.Of("../a"u8), MetadataLoss.Times), (link.Entry.Kind, link.Hash, link.Lost));
        Assert.Equal(1, entries[FilePath.FromText("single file")].Entry.Source);
    }

    [Fact]
    public void A_file_that_changed_stands_there_as_it_was_copied_and_not_as_it_was_listed()
    {
        _plan.Finalise();
        ManifestEntry changed = Assert.Single(_plan.ReadManifest(), entry => entry.Changed);
        Assert.Equal(("a/changed", 16, 1_600_000_000_123_456_794), (changed.Entry.Path.ToString(), changed.Entry.Size, changed.Entry.Status.Metadata.ModifiedTime));
        Assert.Equal(MetadataLoss.Owner, changed.Lost);
    }

    [Fact]
    public void Any_node_writes_the_same_manifest()
    {
        _plan.Finalise("n2");
        string first = _plan.ReadSet()!.Manifest.File;
        _temp.Folder("again");
        using var again = new FinishedPlan(_temp.Path + "/again");
        again.Finalise("n3");
        Assert.Equal(first, again.ReadSet()!.Manifest.File);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Damage_is_found_and_the_file_named(bool cutOff)
    {
        _plan.Finalise();
        FilePath manifest = FilePath.FromText(_plan.ReadSet()!.Manifest.File);
        using (IFileHandle handle = _plan.Set.OpenReadWrite(manifest))
        {
            long length = handle.GetStatus().Size;
            if (cutOff)
            {
                handle.SetLength(length - 3);
            }
            else
            {
                handle.WriteAt([.. Enumerable.Repeat((byte)0x55, 20)], length / 2);
            }
        }

        BackupException error = Assert.Throws<BackupException>(() => _plan.ReadManifest());
        Assert.Equal(ErrorIds.RecordDamaged, error.ErrorId);
        Assert.Contains(manifest.ToString(), error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void The_manifest_of_another_set_is_refused()
    {
        _plan.Finalise();
        FilePath manifest = FilePath.FromText(_plan.ReadSet()!.Manifest.File);
        Assert.Throws<BackupException>(() => new ManifestReader(_plan.Set, manifest, "20260101T000000Z-aaaaaa").Dispose());
    }

    [Fact]
    public void Its_name_is_what_xxh128sum_prints()
    {
        _plan.Finalise();
        ManifestReference manifest = _plan.ReadSet()!.Manifest;
        string printed = RunOrSkip("xxh128sum", manifest.File);
        Assert.StartsWith(manifest.Hash, printed, StringComparison.Ordinal);
        Assert.Equal($"manifest.{manifest.Hash}.jsonl.zst", manifest.File);
        Assert.Equal(new FileInfo($"{_plan.SetPath}/{manifest.File}").Length, manifest.Length);
    }

    [Fact]
    public void The_shell_reads_set_json_and_manifest_with_jq_and_zstdcat()
    {
        _plan.Finalise();
        JsonElement set = JsonDocument.Parse(RunOrSkip("jq", "-c", ".body", "set.json")).RootElement;
        Assert.Equal("nasbackup-set", set.GetProperty("format").GetString());
        Assert.Equal(FinishedPlan.Id, set.GetProperty("id").GetString());
        Assert.Equal("CompletedWithErrors", set.GetProperty("status").GetString());
        string manifest = set.GetProperty("manifest").GetProperty("file").GetString()!;

        string lines = RunOrSkip("zstdcat", manifest);
        File.WriteAllText($"{_temp.Path}/lines", lines);
        Assert.Equal("16", RunOrSkip("jq", "-s", "length", $"{_temp.Path}/lines").Trim());
        Assert.Equal("\"a/bad\"", RunOrSkip("jq", "-c", "select(.failed).path", $"{_temp.Path}/lines").Trim());
        Assert.Equal("[13,1]", RunOrSkip("jq", "-cs", ".[-1].body | [.entries, .failed]", $"{_temp.Path}/lines").Trim());
    }

    private string RunOrSkip(string program, params string[] arguments)
    {
        Assert.SkipUnless(
            Environment.GetEnvironmentVariable("PATH")!.Split(':').Any(folder => File.Exists($"{folder}/{program}")), $"{program} is not installed here.");
        using Process process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, UseShellExecute = false, WorkingDirectory = _plan.SetPath })!;
        string output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        Assert.Equal(0, process.ExitCode);
        return output;
    }
}
