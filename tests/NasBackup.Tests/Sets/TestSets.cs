using System.Globalization;
using NasBackup.Coordination;
using NasBackup.Formats;
using NasBackup.Sets;
using NasBackup.Tests.Coordination;

namespace NasBackup.Tests.Sets;

/// <summary>Sets made by hand on a device: what lists and rules look at, without data.</summary>
internal static class TestSets
{
    private const string NoManifest = "99aa06d3014798d86001c324468d497f";

    /// <summary>A set's folder; its time is that of its id.</summary>
    public static void Make(string device, string id, bool isComplete = true, params string[] sources)
    {
        Directory.CreateDirectory($"{device}/{id}/data/src");
        RequestDocument request = TestShare.RequestOf(id, [], sources) with { CreatedAt = TimeOf(id) };
        File.WriteAllBytes($"{device}/{id}/request.json", SealedJson.Seal(request, CoordinationJson.Default.RequestDocument));
        File.WriteAllText($"{device}/{id}/data/src/file", "content");
        if (isComplete)
        {
            Complete(device, id, sources);
        }
    }

    public static void Complete(string device, string id, params string[] sources)
        => File.WriteAllBytes($"{device}/{id}/set.json", SealedJson.Seal(DocumentOf(id, sources), SetsJson.Default.SetDocument));

    public static DateTime TimeOf(string id)
        => DateTime.ParseExact(id[..16], "yyyyMMdd'T'HHmmss'Z'", CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal);

    public static SetDocument DocumentOf(string id, string[] sources) => new()
    {
        Id = id,
        Token = "token",
        Status = BackupStatus.Completed,
        Sources = [.. (sources.Length == 0 ? ["/src"] : sources).Select(path => new SetSourceDocument(path, $"data{path}", IsFile: false))],
        Destination = "/dev1",
        Layout = DeviceLayout.Mirror,
        Type = BackupType.Full,
        CreatedAt = TimeOf(id),
        CompletedAt = TimeOf(id).AddMinutes(10),
        CompletedBy = "nas1",
        Entries = 2,
        Bytes = 7,
        FailedEntries = 0,
        Unreadable = 0,
        Failures = [],
        FailedNodes = ["nas2"],
        Takeovers = [new TakeoverDocument("L2", "nas2", "NoProgress", "nas1", 1, 1, 7, ["nas1"], TimeOf(id))],
        Nodes = [new NodeSummaryDocument("nas1", 2, 7, 1e6, Failed: false)],
        Manifest = new ManifestReference($"manifest.{NoManifest}.jsonl.zst", NoManifest, 0),
        Skipped = new Dictionary<string, long>(StringComparer.Ordinal),
        Warnings = new Dictionary<string, long>(StringComparer.Ordinal),
    };
}
