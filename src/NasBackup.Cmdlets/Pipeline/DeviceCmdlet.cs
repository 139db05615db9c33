using System.Management.Automation;
using NasBackup.Cmdlets.Parameters;
using NasBackup.Jobs;

namespace NasBackup.Cmdlets.Pipeline;

/// <summary>A cmdlet that works on the sets of a device.</summary>
public abstract class DeviceCmdlet : EngineCmdlet
{
    private BackupDevice? _device;

    /// <summary>The device as it was given, or null.</summary>
    private protected abstract string? GivenDevice { get; }

    /// <summary>The engine on the device: as given, else as a set object names it. It stays open until the cmdlet ends or needs another.</summary>
    protected BackupDevice OpenDevice(string? deviceOfSet = null)
    {
        string given = GivenDevice ?? deviceOfSet ?? throw new BackupException(
            ErrorIds.DeviceNotGiven, ErrorKind.InvalidArgument, "No device is given. Name the folder that the sets lie in with -Device.");
        string path = Paths.Folder(given, ErrorIds.DeviceNotFound);
        if (_device?.Path != path)
        {
            _device?.Dispose();
            _device = null;
            _device = BackupDevice.Open(path);
        }

        return _device;
    }

    /// <summary>The engine on a share: as given, else as the environment names it. The caller closes it.</summary>
    protected BackupCluster OpenCluster(string? givenShare)
    {
        string? share = givenShare ?? Environment.GetEnvironmentVariable(NasCmdlet.ShareVariable);
        return string.IsNullOrEmpty(share)
            ? throw new BackupException(
                ErrorIds.ShareNotGiven, ErrorKind.InvalidArgument, $"No share is given, and several nodes need one. Name it with -Share or in $env:{NasCmdlet.ShareVariable}.")
            : BackupCluster.Open(Paths.Folder(share, ErrorIds.ShareNotFound), create: true);
    }

    /// <summary>The sets that a reference stands for; a pattern may stand for none.</summary>
    protected IEnumerable<BackupSet> Resolve(SetReference reference)
    {
        BackupDevice device = OpenDevice(reference.Device);
        if (!reference.IsPattern)
        {
            return [device.GetSet(reference.Id)];
        }

        var pattern = WildcardPattern.Get(reference.Id, WildcardOptions.IgnoreCase);
        return device.GetSets(WriteWarning).Where(set => pattern.IsMatch(set.SetId));
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _device?.Dispose();
        }

        base.Dispose(disposing);
    }
}
