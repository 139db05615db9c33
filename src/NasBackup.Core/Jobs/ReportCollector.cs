using NasBackup.Coordination;
using NasBackup.Files;
using NasBackup.Planning;

namespace NasBackup.Jobs;

/// <summary>Gathers what share and device tell of one backup. What cannot be read is said in the report; the rest is there.</summary>
/// <param name="folder">The plan, its chains read.</param>
/// <param name="largest">How many of the largest files to name.</param>
/// <param name="cancellation">Ends the reading.</param>
internal sealed class ReportCollector(PlanFolder folder, int largest, CancellationToken cancellation)
{
    private readonly List<string> _problems = [];

    /// <summary>Reads lists, slots and journals, and the sets of the device.</summary>
    /// <exception cref="BackupException">RecordDamaged: the request cannot be read.</exception>
    public BackupReport Collect(BackupPlan plan, IReadOnlyList<NodeLogRecord> log)
    {
        PlanDocument? document = PlanDescription.PlanOf(folder);
        ClusterView? view = document is null ? null : new ClusterView(folder, document);
        view?.Refresh();
        DateTime planned = folder.Planning.Last?.Time ?? plan.CreatedAt;
        List<ReportAssignment> assignments = [.. (view?.All ?? []).Select(assignment => Describe(assignment, planned))];
        List<ReportCommit> commits = [.. (view?.All ?? []).SelectMany(Commits).OrderBy(commit => commit.Time)];
        (BackupSet? set, List<BackupSet> history) = Sets(plan);
        CompletionDocument? completion = PlanDescription.CompletionOf(folder);
        HashSet<string> nodes = new([.. plan.Nodes, .. assignments.Select(assignment => assignment.Node)], StringComparer.OrdinalIgnoreCase);
        return new BackupReport
        {
            Plan = plan,
            Set = set,
            Assignments = assignments,
            Commits = commits,
            LargestFiles = view is null ? [] : Largest(view, plan, document!),
            Failures = [.. (completion?.Failures ?? []).Select(failure => new FailedEntry(failure.Path, failure.ErrorId, failure.Problem, failure.Node))],
            Log = [.. log.Where(record => nodes.Contains(record.Node)).OrderBy(record => record.CompletedAt)],
            History = history,
            EndedAt = assignments.Select(assignment => assignment.ClosedAt ?? DateTime.MinValue)
                .Concat(commits.Select(commit => commit.Time))
                .Append(folder.Completion.Last?.Time ?? planned)
                .Max(),
            Problems = _problems,
        };
    }

    private static ReportAssignment Describe(AssignmentView assignment, DateTime planned)
    {
        SlotDocument? terminal = assignment.Terminal;
        return new ReportAssignment(
            assignment.Id,
            assignment.Parent?.Id,
            assignment.Node ?? "",
            assignment.Origin?.Time ?? assignment.Slots.Slots.FirstOrDefault(slot => slot.Kind is SlotKind.Claim)?.Time ?? planned,
            terminal?.Time,
            terminal?.Kind is SlotKind.TakenOver,
            terminal?.Reason,
            terminal?.Node,
            assignment.Entries,
            assignment.Bytes,
            terminal?.Frozen?.Entries ?? 0,
            terminal?.Frozen?.Bytes ?? 0,
            assignment.Origin?.Kind is SlotKind.Cut);
    }

    private List<ReportCommit> Commits(AssignmentView assignment)
    {
        cancellation.ThrowIfCancellationRequested();
        long counts = assignment.Terminal is { } terminal ? terminal.Frozen?.Length ?? 0 : long.MaxValue;
        return Try(
            () => JournalTimes.Read(folder.Share.Tree, folder.Journal(assignment.Id), counts)
                .Select(commit => new ReportCommit(assignment.Node ?? "", commit.Time, commit.Entries, commit.Bytes))
                .ToList(),
            []);
    }

    private List<ReportFile> Largest(ClusterView view, BackupPlan plan, PlanDocument document)
    {
        var best = new PriorityQueue<ReportFile, long>();
        foreach (AssignmentView list in view.All.Where(assignment => assignment.IsFirst))
        {
            Try(() => Add(list), true);
        }

        var files = new List<ReportFile>();
        while (best.TryDequeue(out ReportFile? file, out _))
        {
            files.Add(file);
        }

        files.Reverse();
        return files;

        bool Add(AssignmentView list)
        {
            foreach (ListItem item in ListFiles.Read(folder, list))
            {
                cancellation.ThrowIfCancellationRequested();
                if (item is { Entry.Size: > 0, Segment: null or { Index: 0 } } && (best.Count < largest || item.Entry.Size > best.Peek().Bytes))
                {
                    best.Enqueue(new ReportFile(PathOf(item.Entry, plan, document), item.Entry.Size, list.Node ?? ""), item.Entry.Size);
                    if (best.Count > largest)
                    {
                        best.Dequeue();
                    }
                }
            }

            return true;
        }
    }

    private static string PathOf(Entry entry, BackupPlan plan, PlanDocument document)
    {
        string source = plan.Path[entry.Source];
        return entry.Path.IsRoot || document.Identities[entry.Source].IsFile ? source : $"{source.TrimEnd('/')}/{entry.Path}";
    }

    private (BackupSet? Set, List<BackupSet> History) Sets(BackupPlan plan) => Try(
        () =>
        {
            using var device = BackupDevice.Open(plan.Destination);
            List<BackupSet> history = [.. device.GetSets(_problems.Add).Where(set => set.Path.SequenceEqual(plan.Path, StringComparer.Ordinal))];
            return (history.Find(set => set.SetId == plan.Id), history);
        },
        (null, []));

    private T Try<T>(Func<T> read, T otherwise)
    {
        try
        {
            return read();
        }
        catch (Exception e) when (e is BackupException or FileSystemException)
        {
            _problems.Add(e.Message);
            return otherwise;
        }
    }
}
