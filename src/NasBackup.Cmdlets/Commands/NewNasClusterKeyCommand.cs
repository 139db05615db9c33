using System.Management.Automation;
using NasBackup.Cmdlets.Pipeline;
using NasBackup.Jobs;

namespace NasBackup.Cmdlets.Commands;

/// <summary>Makes a key by which the nodes of a cluster know each other's orders, in a file that its owner alone reads.</summary>
[Cmdlet(VerbsCommon.New, "NasClusterKey", SupportsShouldProcess = true)]
[OutputType(typeof(ClusterKey))]
public sealed class NewNasClusterKeyCommand : EngineCmdlet
{
    /// <summary>The key file; it must not lie on the share.</summary>
    [Parameter(Mandatory = true, Position = 0)]
    [ValidateNotNullOrEmpty]
    public string Path { get; set; } = "";

    /// <summary>Adds a key to a file that exists; the new one signs from now on, the old ones still verify.</summary>
    [Parameter]
    public SwitchParameter Append { get; set; }

    /// <inheritdoc/>
    protected override void Process()
    {
        string path = Paths.Literal(Path);
        if (ShouldProcess(path, Append ? "Add a cluster key" : "Make a cluster key"))
        {
            WriteObject(KeyFile.Make(path, Append));
        }
    }
}
