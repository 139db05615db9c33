using System.Text.Json;
using System.Text.Json.Serialization;

namespace NasBackup.Jobs;

/// <summary>
/// What only the node itself decides: <c>/etc/nasbackup/node.json</c>, or the file that NASBACKUP_SETTINGS names. Commands
/// are taken from here alone, never from the share, which others can write to.
/// </summary>
internal sealed record NodeSettings
{
    private const string Variable = "NASBACKUP_SETTINGS";
    private const string DefaultPath = "/etc/nasbackup/node.json";

    /// <summary>A program and its arguments, started by the node that completed a backup: for when the client is gone (F18).
    /// It is told by NASBACKUP_PLAN, NASBACKUP_STATUS, NASBACKUP_FAILED_NODES and NASBACKUP_FAILED_ENTRIES.</summary>
    public IReadOnlyList<string>? NotificationCommand { get; init; }

    /// <summary>A program and its arguments that makes, lists and removes snapshots (<c>-Snapshot Script</c>, F19); its contract is in docs/snapshots.md.</summary>
    public IReadOnlyList<string>? SnapshotCommand { get; init; }

    /// <summary>How long one command of a snapshot may take, in seconds.</summary>
    public double SnapshotTimeoutSeconds { get; init; } = 120;

    /// <summary>Room for what changes under a snapshot of a thick logical volume, as lvcreate's -l takes it.</summary>
    public string SnapshotSpace { get; init; } = "20%ORIGIN";

    [JsonIgnore]
    public Transfer.SnapshotOptions Snapshots => new()
    {
        Command = SnapshotCommand ?? [],
        Timeout = TimeSpan.FromSeconds(Math.Clamp(SnapshotTimeoutSeconds, 0.1, TimeSpan.FromDays(1).TotalSeconds)),
        Space = SnapshotSpace,
    };

    /// <summary>The node that this machine runs as where nothing else is said: NASBACKUP_NODE, else the host's name.</summary>
    public static string LocalNode => Environment.GetEnvironmentVariable("NASBACKUP_NODE") is { Length: > 0 } named ? named : Environment.MachineName;

    /// <summary>The settings of this machine; the defaults where there is no file.</summary>
    /// <exception cref="BackupException">NodeSettingsInvalid.</exception>
    public static NodeSettings Read()
    {
        string path = Environment.GetEnvironmentVariable(Variable) is { Length: > 0 } named ? named : DefaultPath;
        if (!File.Exists(path))
        {
            return new NodeSettings();
        }

        try
        {
            return Parse(File.ReadAllBytes(path), path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw Invalid(path, e);
        }
    }

    /// <summary>Settings from what stands in their file.</summary>
    /// <exception cref="BackupException">NodeSettingsInvalid.</exception>
    internal static NodeSettings Parse(ReadOnlySpan<byte> json, string path)
    {
        try
        {
            NodeSettings settings = JsonSerializer.Deserialize(json, SettingsJson.Default.NodeSettings) ?? new NodeSettings();
            return settings.NotificationCommand?.Any(string.IsNullOrEmpty) is true
                ? throw new FormatException("notificationCommand has an empty part.")
                : settings;
        }
        catch (Exception e) when (e is JsonException or FormatException or InvalidOperationException)
        {
            throw Invalid(path, e);
        }
    }

    private static BackupException Invalid(string path, Exception e) => new(
        ErrorIds.NodeSettingsInvalid, ErrorKind.InvalidData, $"The node's settings '{path}' cannot be read: {e.Message} Mend the file, or name another with {Variable}.", path, e);
}

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    RespectNullableAnnotations = true,
    AllowTrailingCommas = true,
    ReadCommentHandling = JsonCommentHandling.Skip)]
[JsonSerializable(typeof(NodeSettings))]
internal sealed partial class SettingsJson : JsonSerializerContext;
