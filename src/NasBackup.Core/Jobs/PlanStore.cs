using NasBackup.Coordination;
using NasBackup.Files;

namespace NasBackup.Jobs;

/// <summary>The plans of a share: found, described, stopped, removed.</summary>
/// <remarks>Every call may throw <see cref="FileSystemException"/> where the share cannot be reached.</remarks>
internal sealed class PlanStore(Share share)
{
    /// <summary>A node that lives writes its record every second, so one that did not for this long has most likely gone.</summary>
    private static readonly TimeSpan Stillness = TimeSpan.FromSeconds(2.5);

    private static readonly TimeSpan Step = TimeSpan.FromMilliseconds(100);

    /// <summary>Removed plans are moved to such a name first, so that one that was removed halfway is never taken for a plan.</summary>
    private const string RemovedPrefix = ".removed.";

    /// <summary>The ids of all plans whose request can be read, oldest first.</summary>
    /// <param name="warning">Told of those whose request cannot.</param>
    public IReadOnlyList<string> Ids(Action<string>? warning = null)
    {
        var ids = new List<string>();
        foreach (string month in share.ListNames(PlanFolder.Plans).Where(name => name.Length == 6 && name.All(char.IsAsciiDigit)))
        {
            foreach (string id in share.ListNames(PlanFolder.Plans.Combine(month))
                .Where(name => PlanFolder.IsPlanId(name) && name.StartsWith(month, StringComparison.Ordinal)))
            {
                try
                {
                    if (FindRequest(new PlanFolder(share, id)) is not null)
                    {
                        ids.Add(id);
                    }
                }
                catch (Exception e) when (e is BackupException or FileSystemException)
                {
                    warning?.Invoke(e.Message);
                }
            }
        }

        return ids;
    }

    /// <summary>A plan's folder, its chains read as they stand.</summary>
    /// <exception cref="BackupException">PlanIdInvalid, PlanNotFound, RecordDamaged.</exception>
    public PlanFolder Open(string id)
    {
        if (!PlanFolder.IsPlanId(id))
        {
            throw new BackupException(
                ErrorIds.PlanIdInvalid,
                ErrorKind.InvalidArgument,
                $"'{id}' is not the id of a plan. An id looks like 20260102T030405Z-abc234; Get-NasBackupPlan lists them.",
                id);
        }

        var folder = new PlanFolder(share, id);
        Request(folder);
        Refresh(folder);
        return folder;
    }

    /// <summary>A plan as it stands now.</summary>
    /// <exception cref="BackupException">PlanNotFound, RecordDamaged.</exception>
    public BackupPlan Describe(PlanFolder folder)
    {
        RequestDocument request = Request(folder);
        Refresh(folder);
        return PlanDescription.Of(folder, request, RecordDirectory.Read(folder));
    }

    /// <summary>All plans as they stand now, oldest first.</summary>
    /// <param name="warning">Told of those that cannot be read; the others are returned all the same.</param>
    public IReadOnlyList<BackupPlan> GetAll(Action<string>? warning = null)
    {
        var plans = new List<BackupPlan>();
        foreach (string id in Ids(warning))
        {
            try
            {
                plans.Add(Describe(Open(id)));
            }
            catch (BackupException e) when (e.ErrorId == ErrorIds.PlanNotFound)
            {
                // Removed since the folder was read.
            }
            catch (Exception e) when (e is BackupException or FileSystemException)
            {
                warning?.Invoke(e.Message);
            }
        }

        return plans;
    }

    /// <summary>
    /// Removes a plan from the share, never its set from the device. Watches its records for 2.5 s first, where any has not
    /// left: nodes at work would lose their lists.
    /// </summary>
    /// <exception cref="BackupException">PlanInUse, unless forced.</exception>
    public void Remove(PlanFolder folder, bool force)
    {
        if (!force)
        {
            ThrowIfInUse(folder);
        }

        FilePath month = folder.Root.Parent;
        try
        {
            share.Tree.Rename(folder.Root, month.Combine($"{RemovedPrefix}{folder.PlanId}.{share.Tokens.Next(6)}"));
            share.Tree.SyncDirectory(month);
        }
        catch (FileSystemException e) when (e.Problem is FileProblem.NotFound)
        {
            // Another has removed it just now; what it may have left is swept all the same.
        }

        foreach (DirectoryItem item in share.Tree.ReadDirectory(month, withStatus: false))
        {
            if (FilePath.Display(item.Name).StartsWith(RemovedPrefix, StringComparison.Ordinal))
            {
                share.RemoveFolder(month.Combine(item.Name));
            }
        }
    }

    /// <summary>Tells all nodes to leave, and waits until each has left or its record no longer moves.</summary>
    /// <param name="folder">The plan.</param>
    /// <param name="wait">How long to wait at most.</param>
    /// <param name="reason">Why, for the plan's Problem, or null.</param>
    /// <returns>Whether all are gone.</returns>
    /// <exception cref="BackupException">PlanCompleted.</exception>
    public bool Stop(PlanFolder folder, TimeSpan wait, string? reason = null)
    {
        Refresh(folder);
        if (PlanDescription.CompletionOf(folder) is not null)
        {
            throw new BackupException(
                ErrorIds.PlanCompleted, ErrorKind.InvalidOperation, $"The backup '{folder.PlanId}' is complete; there is nothing to stop.", folder.PlanId);
        }

        var me = new Identity(Environment.MachineName, share.Tokens.Next(12));
        while (!folder.IsStopped)
        {
            // Whatever comes in between (a Resume) was before this Stop.
            folder.Control.PublishNext(me.Slot(share, SlotKind.Stop) with { Reason = reason }, out _);
            folder.Control.Refresh();
        }

        var motion = new RecordMotion(share.Runtime.Time);
        long start = share.Runtime.Time.GetTimestamp();
        while (true)
        {
            IReadOnlyList<FoundRecord> records = RecordDirectory.Read(folder);
            motion.Note(records);
            if (records.All(found => found.Record is { State: NodeState.Left }
                || (share.Runtime.Time.GetElapsedTime(start) >= Stillness && motion.Silence(found) >= Stillness)
                || (found.Problem is BackupException && share.Runtime.Time.GetElapsedTime(start) >= Stillness)))
            {
                return true;
            }

            if (share.Runtime.Time.GetElapsedTime(start) >= wait)
            {
                return false;
            }

            share.Runtime.Sleep(Step, CancellationToken.None);
        }
    }

    /// <summary>The counters as they stand (F9), one per assignment, each after the one that it came from; none before the
    /// plan has its lists.</summary>
    public static IReadOnlyList<Counter> Counters(PlanFolder folder)
    {
        folder.Planning.Refresh();
        if (PlanDescription.PlanOf(folder) is not { } plan)
        {
            return [];
        }

        var view = new ClusterView(folder, plan);
        view.Refresh();
        var reader = new CounterReader(folder, RecordDirectory.Read(folder), new JournalCounts());
        return [.. view.All.Select(reader.Read)];
    }

    private void ThrowIfInUse(PlanFolder folder)
    {
        var motion = new RecordMotion(share.Runtime.Time);
        long start = share.Runtime.Time.GetTimestamp();
        while (true)
        {
            FoundRecord[] present = [.. RecordDirectory.Read(folder).Where(found => found.Record is not { State: NodeState.Left })];
            motion.Note(present);
            bool isOver = share.Runtime.Time.GetElapsedTime(start) >= Stillness;

            // What cannot be read at the end says nothing about its owner; damage does: who lives would have mended it.
            if (present.FirstOrDefault(found => motion.HasMoved(found) || (isOver && found.Problem is FileSystemException)) is { } alive)
            {
                throw new BackupException(
                    ErrorIds.PlanInUse,
                    ErrorKind.ResourceBusy,
                    $"The plan '{folder.PlanId}' is being worked on by '{alive.Record?.Node ?? alive.Name}'. Stop it with Stop-NasBackup first, or use -Force.",
                    folder.PlanId);
            }

            if (isOver || present.Length == 0)
            {
                return;
            }

            share.Runtime.Sleep(Step, CancellationToken.None);
        }
    }

    private RequestDocument Request(PlanFolder folder) => FindRequest(folder) ?? throw new BackupException(
        ErrorIds.PlanNotFound,
        ErrorKind.NotFound,
        $"There is no plan '{folder.PlanId}' on the share '{share.Path}'. Get-NasBackupPlan lists those that are.",
        folder.PlanId);

    private static RequestDocument? FindRequest(PlanFolder folder)
    {
        try
        {
            return folder.ReadRequest();
        }
        catch (BackupException e) when (e.ErrorId == ErrorIds.RecordDamaged)
        {
            throw new BackupException(
                e.ErrorId, e.Kind, $"{e.Message} The plan '{folder.PlanId}' cannot be used any more; remove its folder.", folder.PlanId, e);
        }
    }

    private static void Refresh(PlanFolder folder)
    {
        folder.Planning.Refresh();
        folder.Control.Refresh();
        folder.Completion.Refresh();
    }
}
