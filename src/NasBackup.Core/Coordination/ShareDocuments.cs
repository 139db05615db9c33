namespace NasBackup.Coordination;

/// <summary>The share's marker, <c>nasbackup.json</c>.</summary>
internal sealed partial record ShareDocument(string Format, int Version, string Id)
{
    public const string FormatName = "nasbackup-share";
    public const int CurrentVersion = 1;
}

/// <summary>A registered node, <c>nodes/NAME.json</c>.</summary>
internal sealed partial record NodeDocument(string Name, double? Speed, Dictionary<string, string> PathMap, DateTime RegisteredAt, string? HostName = null);

/// <summary>A line of a node's log (F11), <c>logs/NAME.jsonl</c>.</summary>
internal sealed partial record LogDocument(
    string Plan,
    DateTime CompletedAt,
    double DurationSeconds,
    long Entries,
    long Bytes,
    double TransferRate,
    double CostPerEntrySeconds,
    BackupStatus Status);
