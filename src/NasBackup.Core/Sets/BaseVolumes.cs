using NasBackup.Coordination;
using NasBackup.Files;
using NasBackup.Transfer;
using NasBackup.Transfer.Volumes;

namespace NasBackup.Sets;

/// <summary>The volumes of the set that a plan builds on. Those that are still needed are linked: so each set is complete in
/// itself, and a volume stays for as long as one set has it.</summary>
internal sealed class BaseVolumes(SetFolder folder, string baseId, PlanFolder plan)
{
    private IReadOnlyList<VolumeDocument>? _all;

    /// <summary>As the base's set.json names them.</summary>
    /// <exception cref="FileSystemException">It cannot be read.</exception>
    /// <exception cref="BackupException">RecordDamaged.</exception>
    public IReadOnlyList<VolumeDocument> All => _all ??= Share.OfSets(folder.Device, plan.Share)
        .Read(FilePath.FromText(baseId).Combine(SetDocument.Path.Bytes), SetsJson.Default.SetDocument)?.Volumes ?? [];

    /// <summary>Gives a volume of the base a name in the new set as well.</summary>
    /// <exception cref="FileSystemException">It is not there, or the device does not do it.</exception>
    public void Link(string name, string set)
    {
        FilePath Of(string id) => FilePath.FromText(id).Combine(VolumeNames.Root.Bytes).Combine(name);
        try
        {
            folder.Device.Link(Of(baseId), Of(set));
        }
        catch (FileSystemException e) when (e.Problem is FileProblem.AlreadyExists)
        {
            // Another finaliser was faster, or it was this one and the reply was lost.
        }
    }
}
