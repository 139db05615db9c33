using System.Management.Automation;
using NasBackup.Cmdlets.Pipeline;

namespace NasBackup.Cmdlets.Commands;

/// <summary>Holds sets, so that nothing removes them, or releases them.</summary>
[Cmdlet(VerbsCommon.Set, "NasBackupSet", SupportsShouldProcess = true)]
[OutputType(typeof(BackupSet))]
public sealed class SetNasBackupSetCommand : SetCmdlet
{
    /// <summary>Whether the sets are held: -Hold or -Hold:$false.</summary>
    [Parameter(Mandatory = true)]
    public SwitchParameter Hold { get; set; }

    /// <inheritdoc/>
    protected override void Process()
    {
        if (SetId.Length == 0)
        {
            throw new BackupException(ErrorIds.SetNotGiven, ErrorKind.InvalidArgument, "No set is given. Name sets with -SetId (patterns are taken), or pipe them in.");
        }

        ForEachSet(set =>
        {
            if (ShouldProcess($"{set.SetId} on {set.Device}", Hold ? "Hold set" : "Release set"))
            {
                WriteObject(OpenDevice(set.Device).SetHold(set.SetId, Hold));
            }
        });
    }
}
