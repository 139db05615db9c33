using System.Collections;
using System.Management.Automation;
using NasBackup.Cmdlets.Parameters;
using NasBackup.Cmdlets.Pipeline;

namespace NasBackup.Cmdlets.Commands;

/// <summary>Registers nodes on a share, which is made where only its parent exists.</summary>
[Cmdlet(VerbsLifecycle.Register, "NasNode", SupportsShouldProcess = true, ConfirmImpact = ConfirmImpact.Low)]
[OutputType(typeof(Node))]
public sealed class RegisterNasNodeCommand : NasCmdlet
{
    /// <summary>Letters, digits, '.', '_' and '-', 63 at most; case does not matter.</summary>
    [Parameter(Mandatory = true, Position = 0, ValueFromPipeline = true, ValueFromPipelineByPropertyName = true)]
    [ValidateNotNullOrEmpty]
    public string[] Name { get; set; } = [];

    /// <summary>The preset speed in bytes per second (F7); learned from the node's log where not given (F3).</summary>
    [Parameter(ValueFromPipelineByPropertyName = true)]
    [SizeTransformation(Minimum = 1)]
    public double? Speed { get; set; }

    /// <summary>What a management client reaches the node's machine by: the name or address of a session, [user@]host[:port] for SSH.</summary>
    [Parameter(ValueFromPipelineByPropertyName = true)]
    public string? HostName { get; set; }

    /// <summary>How the node sees paths: from the plan's path to its own. 'node:/path' holds only while that node owns the disk.</summary>
    [Parameter]
    [ValidateNotNull]
    public IDictionary? PathMap { get; set; }

    /// <inheritdoc/>
    protected override void Process()
    {
        foreach (string name in Name)
        {
            Attempt(() => Register(name));
        }
    }

    private void Register(string name)
    {
        NodeName.Check(name);
        if (ShouldProcess($"{name} on {ResolveShare()}", "Register node"))
        {
            WriteObject(OpenShare(create: true).RegisterNode(name, Speed, Parameters.PathMap.From(PathMap), string.IsNullOrEmpty(HostName) ? null : HostName));
        }
    }
}
