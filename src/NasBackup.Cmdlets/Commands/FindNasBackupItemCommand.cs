using System.Management.Automation;
using NasBackup.Cmdlets.Completion;
using NasBackup.Cmdlets.Parameters;
using NasBackup.Cmdlets.Pipeline;
using NasBackup.Files;
using NasBackup.Jobs;

namespace NasBackup.Cmdlets.Commands;

/// <summary>Finds files, folders and links in sets by name, size, time and kind. What it emits pipes into Restore-NasBackup.</summary>
[Cmdlet(VerbsCommon.Find, "NasBackupItem")]
[OutputType(typeof(BackupItem))]
public sealed class FindNasBackupItemCommand : SetCmdlet
{
    /// <summary>Globs as in -Include: without '/' of names, else of paths below the source or of absolute paths as the plan names them.</summary>
    [Parameter(Position = 1)]
    [Alias("Name", "Item")]
    [SupportsWildcards]
    [ValidateNotNullOrEmpty]
    [ArgumentCompleter(typeof(ItemCompleter))]
    public string[] Path { get; set; } = [];

    /// <summary>The sets: objects (also some that came over remoting), ids or patterns; all of the device where none is named.</summary>
    /// <remarks>Behind the pattern, other than elsewhere: who looks for a file does not know yet which set it is in.</remarks>
    [Parameter(Position = 2, ValueFromPipeline = true, ValueFromPipelineByPropertyName = true)]
    [Alias("Id")]
    [SupportsWildcards]
    [ValidateNotNullOrEmpty]
    [SetTransformation]
    [ArgumentCompleter(typeof(SetCompleter))]
    public override SetReference[] SetId { get; set; } = [];

    /// <summary>Files of that many bytes at least.</summary>
    [Parameter]
    [SizeTransformation]
    public long? MinSize { get; set; }

    /// <summary>Files of that many bytes at most.</summary>
    [Parameter]
    [SizeTransformation]
    public long? MaxSize { get; set; }

    /// <summary>What was modified then or later.</summary>
    [Parameter]
    public DateTime? ModifiedAfter { get; set; }

    /// <summary>What was modified then or earlier.</summary>
    [Parameter]
    public DateTime? ModifiedBefore { get; set; }

    /// <summary>Files, folders, links, …; every kind where not given.</summary>
    [Parameter]
    public EntryKind[] Kind { get; set; } = [];

    private ItemQuery Query => new()
    {
        Path = Path,
        MinSize = MinSize,
        MaxSize = MaxSize,
        ModifiedAfter = ModifiedAfter,
        ModifiedBefore = ModifiedBefore,
        Kind = Kind,
    };

    /// <inheritdoc/>
    protected override void Begin() => BackupDevice.CheckQuery(Query);

    /// <inheritdoc/>
    protected override void Process()
    {
        ItemQuery query = Query;
        ForEachSet(set =>
        {
            if (set.Status is SetStatus.Unfinished && (SetId.Length == 0 || Array.Exists(SetId, reference => reference.IsPattern)))
            {
                WriteVerbose($"The set {set.SetId} is unfinished; it is not searched.");
                return;
            }

            foreach (BackupItem item in OpenDevice(set.Device).FindItems(set.SetId, query))
            {
                Stopped.ThrowIfCancellationRequested();
                WriteObject(item);
            }
        });
    }
}
