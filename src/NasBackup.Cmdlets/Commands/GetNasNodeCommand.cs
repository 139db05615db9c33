using System.Management.Automation;
using NasBackup.Cmdlets.Completion;
using NasBackup.Cmdlets.Parameters;
using NasBackup.Cmdlets.Pipeline;
using NasBackup.Jobs;

namespace NasBackup.Cmdlets.Commands;

/// <summary>Gives the nodes that are registered on a share, with the speed that the next plan counts with.</summary>
[Cmdlet(VerbsCommon.Get, "NasNode")]
[OutputType(typeof(Node))]
public sealed class GetNasNodeCommand : NasCmdlet
{
    /// <summary>Names or patterns; all nodes where not given.</summary>
    [Parameter(Position = 0, ValueFromPipeline = true, ValueFromPipelineByPropertyName = true)]
    [SupportsWildcards]
    [ValidateNotNullOrEmpty]
    [ArgumentCompleter(typeof(NodeCompleter))]
    public string[] Name { get; set; } = ["*"];

    /// <inheritdoc/>
    protected override void Process()
    {
        BackupCluster cluster = OpenShare();
        foreach (string name in Name)
        {
            Attempt(() => WriteObject(Find(cluster, name), enumerateCollection: true));
        }
    }

    private static IEnumerable<Node> Find(BackupCluster cluster, string name)
    {
        if (!WildcardPattern.ContainsWildcardCharacters(name))
        {
            NodeName.Check(name);
            return [cluster.GetNode(name)];
        }

        var pattern = WildcardPattern.Get(name, WildcardOptions.IgnoreCase);
        return cluster.GetNodes()
            .Where(node => pattern.IsMatch(node.Name))
            .OrderBy(node => node.Name, StringComparer.OrdinalIgnoreCase);
    }
}
