using System.Management.Automation;
using NasBackup.Cmdlets.Completion;
using NasBackup.Cmdlets.Parameters;
using NasBackup.Cmdlets.Pipeline;

namespace NasBackup.Cmdlets.Commands;

/// <summary>Takes nodes off a share: plans that are made later do not count on them.</summary>
[Cmdlet(VerbsLifecycle.Unregister, "NasNode", SupportsShouldProcess = true, ConfirmImpact = ConfirmImpact.Medium)]
[OutputType(typeof(void))]
public sealed class UnregisterNasNodeCommand : NasCmdlet
{
    /// <summary>The nodes' names.</summary>
    [Parameter(Mandatory = true, Position = 0, ValueFromPipeline = true, ValueFromPipelineByPropertyName = true)]
    [ValidateNotNullOrEmpty]
    [ArgumentCompleter(typeof(NodeCompleter))]
    public string[] Name { get; set; } = [];

    /// <inheritdoc/>
    protected override void Process()
    {
        foreach (string name in Name)
        {
            Attempt(() => Unregister(name));
        }
    }

    private void Unregister(string name)
    {
        NodeName.Check(name);
        if (ShouldProcess($"{name} on {ResolveShare()}", "Unregister node"))
        {
            OpenShare().UnregisterNode(name);
        }
    }
}
