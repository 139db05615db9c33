using System.Collections;
using System.Management.Automation;
using NasBackup.Cmdlets.Completion;
using NasBackup.Cmdlets.Parameters;
using NasBackup.Cmdlets.Pipeline;

namespace NasBackup.Cmdlets.Commands;

/// <summary>Changes the preset speed, the host name or the path map of registered nodes; what is not given stays.</summary>
[Cmdlet(VerbsCommon.Set, "NasNode", SupportsShouldProcess = true, DefaultParameterSetName = PresetSet)]
[OutputType(typeof(Node))]
public sealed class SetNasNodeCommand : NasCmdlet
{
    private const string PresetSet = "Preset";
    private const string LearnedSet = "Learned";

    /// <summary>The nodes' names.</summary>
    [Parameter(Mandatory = true, Position = 0, ValueFromPipeline = true, ValueFromPipelineByPropertyName = true)]
    [ValidateNotNullOrEmpty]
    [ArgumentCompleter(typeof(NodeCompleter))]
    public string[] Name { get; set; } = [];

    /// <summary>The preset speed in bytes per second (F7).</summary>
    [Parameter(ParameterSetName = PresetSet)]
    [SizeTransformation(Minimum = 1)]
    public double? Speed { get; set; }

    /// <summary>Takes the preset speed away: the node's log tells it again (F3).</summary>
    [Parameter(Mandatory = true, ParameterSetName = LearnedSet)]
    public SwitchParameter ClearSpeed { get; set; }

    /// <summary>What a management client reaches the node's machine by; an empty text takes it away.</summary>
    [Parameter]
    [ValidateNotNull]
    public string? HostName { get; set; }

    /// <summary>How the node sees paths: from the plan's path to its own; 'node:/path' holds only while that node owns the disk. It replaces the whole map; @{} empties it.</summary>
    [Parameter]
    [ValidateNotNull]
    public IDictionary? PathMap { get; set; }

    /// <inheritdoc/>
    protected override void Process()
    {
        foreach (string name in Name)
        {
            Attempt(() => Change(name));
        }
    }

    private void Change(string name)
    {
        NodeName.Check(name);
        if (ShouldProcess($"{name} on {ResolveShare()}", "Change node"))
        {
            WriteObject(OpenShare().SetNode(name, Speed, Parameters.PathMap.From(PathMap), ClearSpeed, HostName));
        }
    }
}
