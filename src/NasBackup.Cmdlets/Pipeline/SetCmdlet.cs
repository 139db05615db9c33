using System.Management.Automation;
using NasBackup.Cmdlets.Completion;
using NasBackup.Cmdlets.Parameters;

namespace NasBackup.Cmdlets.Pipeline;

/// <summary>A cmdlet that takes sets by id, by pattern or from the pipeline.</summary>
public abstract class SetCmdlet : DeviceCmdlet
{
    /// <summary>The device: the folder that the sets lie in. Sets from the pipeline name it themselves.</summary>
    [Parameter(Position = 0, ValueFromPipelineByPropertyName = true)]
    [Alias("Destination")]
    [ValidateNotNullOrEmpty]
    [ArgumentCompleter(typeof(DeviceCompleter))]
    public string? Device { get; set; }

    /// <summary>The sets: objects (also some that came over remoting), ids or patterns.</summary>
    [Parameter(Position = 1, ValueFromPipeline = true, ValueFromPipelineByPropertyName = true)]
    [Alias("Id")]
    [SupportsWildcards]
    [ValidateNotNullOrEmpty]
    [SetTransformation]
    [ArgumentCompleter(typeof(SetCompleter))]
    public virtual SetReference[] SetId { get; set; } = [];

    private protected sealed override string? GivenDevice => Device;

    /// <summary>Does something with each set that is meant: all of the device where none is named. Errors of one do not end the rest.</summary>
    protected void ForEachSet(Action<BackupSet> action)
    {
        foreach (SetReference reference in SetId.Length > 0 ? SetId : [new SetReference("*", Device: null)])
        {
            Attempt(() =>
            {
                foreach (BackupSet set in Resolve(reference))
                {
                    Attempt(() => action(set));
                }
            });
        }
    }
}
