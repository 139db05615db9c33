using System.Management.Automation;
using NasBackup.Cmdlets.Completion;
using NasBackup.Cmdlets.Parameters;
using NasBackup.Cmdlets.Pipeline;
using NasBackup.Cmdlets.Views;

namespace NasBackup.Cmdlets.Commands;

/// <summary>Gives the sets on a device, the oldest first; with -Newest and -MaxAge it tells a monitor whether there is a good recent one.</summary>
[Cmdlet(VerbsCommon.Get, "NasBackupSet")]
[OutputType(typeof(BackupSet))]
public sealed class GetNasBackupSetCommand : SetCmdlet
{
    private readonly List<BackupSet> _sets = [];

    /// <summary>Only sets of sources that match.</summary>
    [Parameter]
    [SupportsWildcards]
    [ValidateNotNullOrEmpty]
    [ArgumentCompleter(typeof(SourceCompleter))]
    public string[] Path { get; set; } = [];

    /// <summary>Only sets that stand so.</summary>
    [Parameter]
    public SetStatus[] Status { get; set; } = [];

    /// <summary>Only the newest set that is complete and in which no damage was found.</summary>
    [Parameter]
    public SwitchParameter Newest { get; set; }

    /// <summary>An error where the newest good set is older: how long ago it may have been completed.</summary>
    [Parameter]
    [DurationTransformation]
    public TimeSpan? MaxAge { get; set; }

    private bool OnlyNewest => Newest || MaxAge is not null;

    /// <inheritdoc/>
    protected override void Process() => ForEachSet(set =>
    {
        if ((Status.Length > 0 && !Status.Contains(set.Status)) || !IsOfPath(set))
        {
            return;
        }

        if (!OnlyNewest)
        {
            WriteObject(set);
        }
        else if (set is { Status: SetStatus.Completed or SetStatus.CompletedWithErrors, IsDamaged: false, DamagedEntries: 0 })
        {
            _sets.Add(set);
        }
    });

    /// <inheritdoc/>
    protected override void End()
    {
        if (!OnlyNewest)
        {
            return;
        }

        BackupSet newest = _sets.MaxBy(set => set.CompletedAt) ?? throw new BackupException(
            ErrorIds.SetNotFound, ErrorKind.NotFound, $"There is no complete and undamaged set of that kind on the device '{Device}'.", Device);
        WriteObject(newest);
        TimeSpan age = DateTime.UtcNow - newest.CompletedAt!.Value.ToUniversalTime();
        if (MaxAge is { } most && age > most)
        {
            throw new BackupException(
                ErrorIds.SetTooOld,
                ErrorKind.Timeout,
                $"The newest good set, {newest.SetId}, was completed {Humanize.Duration(age)} ago; {Humanize.Duration(most)} is allowed. Look at Get-NasBackupPlan for why no newer one came about.",
                newest.SetId);
        }
    }

    private bool IsOfPath(BackupSet set) => Path.Length == 0
        || Path.Any(pattern => set.Path.Any(WildcardPattern.Get(pattern, WildcardOptions.None).IsMatch));
}
