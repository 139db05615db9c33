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
            return JsonSerializer.Deserialize(File.ReadAllBytes(path), SettingsJson.Default.NodeSettings) ?? new NodeSettings();
        }
        catch (Exception e) when (e is JsonException or IOException or UnauthorizedAccessException)
        {
            throw new BackupException(
                ErrorIds.NodeSettingsInvalid, ErrorKind.InvalidData, $"The node's settings '{path}' cannot be read: {e.Message} Mend the file, or name another with {Variable}.", path, e);
        }
    }
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(NodeSettings))]
internal sealed partial class SettingsJson : JsonSerializerContext;
