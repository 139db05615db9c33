using System.Text.Json;
using System.Text.Json.Serialization;
using NasBackup.Files;
using NasBackup.Formats;

namespace NasBackup.Jobs;

/// <summary>
/// What only the node itself decides: <c>/etc/nasbackup/node.json</c>, or the file that NASBACKUP_SETTINGS names. Commands
/// are taken from here alone, never from the share, which others can write to.
/// </summary>
/// <remarks>Its properties can be set, since the generated reader gives an init-only one that the file leaves out no default but null or 0.</remarks>
internal sealed record NodeSettings
{
    private const string Variable = "NASBACKUP_SETTINGS";
    private const string DefaultPath = "/etc/nasbackup/node.json";

    /// <summary>A program and its arguments, started by the node that completed a backup: for when the client is gone (F18).
    /// It is told by NASBACKUP_PLAN, NASBACKUP_STATUS, NASBACKUP_FAILED_NODES and NASBACKUP_FAILED_ENTRIES.</summary>
    public IReadOnlyList<string>? NotificationCommand { get; set; }

    /// <summary>A program and its arguments that makes, lists and removes snapshots (<c>-Snapshot Script</c>, F19); its contract is in docs/snapshots.md.</summary>
    public IReadOnlyList<string>? SnapshotCommand { get; set; }

    /// <summary>Folders of this node; sources, and snapshots of them, must lie in one of them. Null: anywhere.</summary>
    public IReadOnlyList<string>? AllowedSource { get; set; }

    /// <summary>Folders of this node; devices must lie in one of them. Null: anywhere.</summary>
    public IReadOnlyList<string>? AllowedDestination { get; set; }

    /// <summary>The file with the cluster's keys, or null: what this node writes is not signed, and what it reads need not be.</summary>
    public string? KeyFile { get; set; }

    /// <summary>Users, by number, whose orders on the share count beside those of this process's own user and root.</summary>
    public IReadOnlyList<uint> TrustedOwners { get; set; } = [];

    /// <summary>Groups, by number, that may write to the share.</summary>
    public IReadOnlyList<uint> TrustedGroups { get; set; } = [];

    /// <summary>How long one command of a snapshot may take, in seconds.</summary>
    public double SnapshotTimeoutSeconds { get; set; } = 120;

    /// <summary>Room for what changes under a snapshot of a thick logical volume, as lvcreate's -l takes it.</summary>
    public string SnapshotSpace { get; set; } = "20%ORIGIN";

    /// <summary>A program and its arguments that takes the disks of a failed node over, after fencing it (F14); its contract is in docs/failover.md.</summary>
    public IReadOnlyList<string>? FailoverCommand { get; set; }

    /// <summary>How long it may take, in seconds.</summary>
    public double FailoverCommandTimeoutSeconds { get; set; } = 120;

    [JsonIgnore]
    public Transfer.FailoverOptions Failover => new(FailoverCommand ?? [], Seconds(FailoverCommandTimeoutSeconds));

    [JsonIgnore]
    public Transfer.SnapshotOptions Snapshots => new()
    {
        Command = SnapshotCommand ?? [],
        Timeout = Seconds(SnapshotTimeoutSeconds),
        Space = SnapshotSpace,
    };

    /// <summary>The node that this machine runs as where nothing else is said: NASBACKUP_NODE, else the host's name.</summary>
    public static string LocalNode => Environment.GetEnvironmentVariable("NASBACKUP_NODE") is { Length: > 0 } named ? named : Environment.MachineName;

    /// <summary>The file of this machine's settings, whether there is one or not.</summary>
    public static string CurrentPath => Environment.GetEnvironmentVariable(Variable) is { Length: > 0 } named ? named : DefaultPath;

    /// <summary>The settings of this machine; the defaults where there is no file.</summary>
    /// <exception cref="BackupException">NodeSettingsInvalid: also where others could have written the file, which names commands.</exception>
    public static NodeSettings Read() => ReadFrom(CurrentPath);

    /// <inheritdoc cref="Read"/>
    internal static NodeSettings ReadFrom(string path)
    {
        if (!File.Exists(path))
        {
            return new NodeSettings();
        }

        try
        {
            ThrowIfOthersCanWrite(path);
            return Parse(File.ReadAllBytes(path), path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or FormatException)
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
            settings.Check();
            return settings;
        }
        catch (Exception e) when (e is JsonException or FormatException or InvalidOperationException)
        {
            throw Invalid(path, e);
        }
    }

    private void Check()
    {
        foreach ((IReadOnlyList<string>? command, string name) in new[] { (NotificationCommand, "notificationCommand"), (SnapshotCommand, "snapshotCommand"), (FailoverCommand, "failoverCommand") })
        {
            FieldRules.Require(command?.Any(string.IsNullOrEmpty) is not true, $"{name} has an empty part.");
        }

        FieldRules.Require(AllowedSource?.All(IsAbsolute) is not false, "allowedSource has a path that is not absolute.");
        FieldRules.Require(AllowedDestination?.All(IsAbsolute) is not false, "allowedDestination has a path that is not absolute.");

        // A file may have null where no annotation allows it.
        static bool IsAbsolute(string? path) => path is not null && Path.IsPathFullyQualified(path);
    }

    private static void ThrowIfOthersCanWrite(string path)
    {
        string absolute = Path.GetFullPath(path);
        if (FileTree.StatusOf(absolute) is not { } status)
        {
            return;
        }

        const int WritableByOthers = 0x12; // 0022
        FieldRules.Require(
            status.Metadata.Owner == 0 || status.Metadata.Owner == FileTree.CurrentUser,
            $"It belongs to user {status.Metadata.Owner}, and it names commands and limits; it must be root's or this user's own.");
        FieldRules.Require(
            (status.Metadata.Mode & WritableByOthers) == 0,
            $"Others can write to it (mode {Convert.ToString(status.Metadata.Mode, 8)}), and it names commands and limits; take that right away (chmod go-w).");
    }

    private static BackupException Invalid(string path, Exception e) => new(
        ErrorIds.NodeSettingsInvalid, ErrorKind.InvalidData, $"The node's settings '{path}' cannot be read: {e.Message} Mend the file, or name another with {Variable}.", path, e);

    private static TimeSpan Seconds(double seconds) => TimeSpan.FromSeconds(Math.Clamp(seconds, 0.1, TimeSpan.FromDays(1).TotalSeconds));
}

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    RespectNullableAnnotations = true,
    AllowTrailingCommas = true,
    ReadCommentHandling = JsonCommentHandling.Skip)]
[JsonSerializable(typeof(NodeSettings))]
internal sealed partial class SettingsJson : JsonSerializerContext;
