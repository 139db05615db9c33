using NasBackup.Coordination;
using NasBackup.Files;
using NasBackup.Formats;
using NasBackup.Planning;

namespace NasBackup.Jobs;

/// <content>A node's own part of a scan: how it comes to it, what it gives away, how it ends.</content>
internal sealed partial class SharedScan
{
    /// <summary>Parts are made for so many nodes at once at most.</summary>
    private const int MostTakers = 16;

    /// <summary>Who has so few folders waiting makes parts for those alone that wait.</summary>
    private const int LeastForSpare = 8;

    /// <summary>So many of a part's folders are looked for before it is claimed: one is enough to know the source by.</summary>
    private const int FoldersLookedFor = 16;

    private readonly Dictionary<int, long> _unfit = [];
    private string? _inHand;

    // Whether this node has found more than it may hold: the plan is then made from lists, and nothing is kept for it.
    private bool _isTooMuch;

    /// <summary>Scans a part, and closes it where it is shared.</summary>
    /// <exception cref="PlanningLostException">It is another's now.</exception>
    private ScanResult Run(ScanWork work)
    {
        NodeState before = node.Heart.State;
        node.Heart.State = NodeState.Working;
        _inHand = work.Assignment?.Id;
        work.Since = _runtime.Time.GetTimestamp();
        try
        {
            ScanResult found = Scanner.Scan(
                work.Tree,
                work.Task,
                work.RootFileSystem,
                OptionsOf(node.Request),
                (scan, sofar) => Round(work, scan, sofar),
                _runtime.Processors,
                _runtime.Time,
                node.Cancellation,
                work.Assignment is null ? node.Environment.HeldEntries : node.Environment.PartEntries);
            if (work.Assignment is not null)
            {
                Finish(work, work.Assignment, found);
            }

            return found;
        }
        finally
        {
            // What was not brought to its end is given back at the next look.
            _inHand = null;
            node.Heart.State = before;
        }
    }

    /// <summary>Scans a part for whoever plans. What goes wrong is this node's own trouble: others scan it then.</summary>
    private void TryRun(AssignmentView open, IFileTree tree)
    {
        try
        {
            Run(WorkOf(open, tree, sofar => node.Heart.Meter.NoteCount(sofar.Entries), plans: false));
        }
        catch (Exception e) when (e is PlanningLostException or FileSystemException { IsDeviceWide: false } or BackupException)
        {
            node.Verbose($"the scan of {open.Id} is left to others: {e.Message}");
            NoteUnfit(SourceOf(open));
        }
    }

    private ScanWork WorkOf(AssignmentView scan, IFileTree tree, Action<ScanProgress> report, bool plans)
    {
        // All of them lie on the file system of the source, whose number is this machine's own.
        ulong fileSystem = tree.GetStatus(FilePath.Root).FileSystem;
        Entry[] roots = [];
        HashSet<FilePath> without = [];
        Patiently(() => (roots, without) = (RootsOf(scan), GivenAwayOf(scan)));
        roots = [.. roots.Select(root => new Entry { Source = root.Source, Path = root.Path, Status = root.Status with { FileSystem = fileSystem } })];
        return new ScanWork(SourceOf(scan), tree, new ScanTask(roots, without), fileSystem, report, plans) { Assignment = scan };
    }

    /// <summary>Now and then while a scan goes on: tells how far it is, and leaves a part of it to those that wait.</summary>
    private void Round(ScanWork work, IScanInProgress scan, ScanProgress sofar)
    {
        work.Report(sofar);
        TimeSpan spent = _runtime.Time.GetElapsedTime(work.Since);
        bool isFull = scan.IsFull;
        if (spent < node.Environment.ShareScanAfter / 2 && !isFull)
        {
            return;
        }

        try
        {
            if (!LookAround() && !isFull)
            {
                return;
            }

            if (work.Assignment is { Terminal: { } terminal })
            {
                throw new PlanningLostException($"what it was scanning was taken over by {terminal.Node}");
            }

            ThrowIfPlanned();
            if (work.Plans)
            {
                ThrowIfAnotherPlans();
            }

            if (spent >= node.Environment.ShareScanAfter || isFull)
            {
                GiveAway(work, scan, isFull);
            }
        }
        catch (Exception e) when (e is FileSystemException or BackupException)
        {
            // The share may be away, or full; the scan goes on all the same.
            node.Verbose($"a look at the others failed: {e.Message}");
        }
    }

    /// <summary>Leaves folders to those that wait; or, where this part is as long as memory allows, all of them: whoever is done
    /// first goes on with them, and that may be this node.</summary>
    private void GiveAway(ScanWork work, IScanInProgress scan, bool isFull)
    {
        // One part more than there are that wait, once it is shared: whoever is done next finds something at once.
        int waiting = scan.Waiting;
        int idle = node.Detector.Candidates.Count(seen => seen.Record.State is NodeState.Scanning && seen.Record.Incarnation != node.Me.Incarnation);
        int spare = work.Assignment is not null && waiting >= LeastForSpare ? 1 : 0;
        int takers = Math.Min(Math.Min(idle + spare - Unclaimed.Count(), MostTakers), waiting - 1);
        takers = isFull && waiting > 0 ? Math.Max(takers, 1) : takers;
        if (takers <= 0)
        {
            return;
        }

        AssignmentView mine = work.Assignment ??= Open(work);
        bool isGiven = false;
        IReadOnlyList<Entry> taken = scan.Take(isFull ? waiting : (int)((long)waiting * takers / (takers + 1)));
        try
        {
            isGiven = taken.Count > 0 && Cut(mine, taken, takers);
        }
        finally
        {
            if (isGiven)
            {
                scan.Give();
            }
            else
            {
                scan.Return();
            }
        }
    }

    /// <summary>From now on the scan of the source is shared; all of it is this node's part.</summary>
    /// <exception cref="PlanningLostException">Another has begun to share it.</exception>
    private AssignmentView Open(ScanWork work)
    {
        AssignmentView top = _view.Find(IdOf(work.Source))!;
        AssignmentDocument mine = _lists.Write(NewId(top), work.Task.Roots.Select(root => new ListItem(root)), node.Me.Node, node.Me.Incarnation);
        SlotDocument slot = node.Me.Slot(node.Folder.Share, SlotKind.Done) with
        {
            Successors = [mine],
            Shared = new SharedSourceDocument(work.Task.Roots[0].Status.Inode, work.Tree.FileSystemName),
        };
        return PublishOrLose(top, slot) ? _view.Find(_inHand = mine.Id)! : throw new PlanningLostException($"{top.Terminal?.Node} has begun to share the scan of {node.Request.Sources[work.Source].Path}");
    }

    /// <summary>Gives folders away, in one part for each of those that wait.</summary>
    /// <returns>True: they are others'.</returns>
    /// <exception cref="PlanningLostException">The whole scan is another's.</exception>
    private bool Cut(AssignmentView mine, IReadOnlyList<Entry> taken, int takers)
    {
        int each = (taken.Count + takers - 1) / takers;
        List<AssignmentDocument> parts = [.. taken.Chunk(each).Select(roots => _lists.Write(NewId(mine), roots.Select(root => new ListItem(root)), null, null))];
        if (!PublishOrLose(mine, node.Me.Slot(node.Folder.Share, SlotKind.Cut) with { CutAt = 0, Successors = parts }))
        {
            throw new PlanningLostException($"what it was scanning was taken over by {mine.Terminal?.Node}");
        }

        node.Verbose($"leaves {taken.Count} folders of {mine.Id} to others, in {parts.Count} parts.");
        return true;
    }

    private void Finish(ScanWork work, AssignmentView mine, ScanResult found)
    {
        AssignmentDocument? list = null;
        Patiently(() => list = _lists.Write(mine.Id, found.Entries.Select(entry => new ListItem(entry)), node.Me.Node, node.Me.Incarnation));
        SlotDocument slot = node.Me.Slot(node.Folder.Share, SlotKind.Done) with
        {
            Part = new ScanPartDocument(
                list!.List,
                list.Entries,
                found.UnstoredBytes,
                work.RootFileSystem,
                found.SkippedCounts.ToDictionary(skipped => skipped.Key.ToString(), skipped => skipped.Value),
                [.. found.Unreadable.Take(ScanPartDocument.MostUnreadable).Select(item => new UnreadableDocument(item.Path.ToString(), item.Problem))],
                found.UnreadableCount),
        };
        if (!PublishOrLose(mine, slot))
        {
            throw new PlanningLostException($"what it has scanned was taken over by {mine.Terminal?.Node}");
        }

        if (work.Plans)
        {
            Keep(mine, new SortedPart(found.Entries, work.RootFileSystem), found.Entries.Count);
        }
    }

    /// <summary>Keeps what this node has found for the plan that it is to make, unless that does not go into memory.</summary>
    private void Keep(AssignmentView mine, SortedPart part, long entries)
    {
        _isTooMuch |= _own.Values.Sum(own => (long)((PackedEntries)own.Entries).Count) + entries > node.Environment.HeldEntries;
        if (_isTooMuch)
        {
            _own.Clear();
        }
        else
        {
            _own[mine.Id] = part;
        }
    }

    private bool TryClaim(AssignmentView open) => Publish(open, node.Me.Slot(node.Folder.Share, SlotKind.Claim));

    /// <summary>A source as it is read for this plan, or null where this node cannot.</summary>
    private IFileTree? TryOpen(int source)
    {
        string? frozen = null;
        if (node.Request.Snapshot is not SnapshotMode.None)
        {
            node.Folder.Snapshots.Refresh();
            frozen = node.Folder.Snapshots.Slots.Select(slot => slot.Snapshot).FirstOrDefault(snapshot => snapshot?.Source == source)?.Path;
        }

        try
        {
            return node.Environment.OpenSource(node.Environment.SourcePath(node.Request.Sources[source], frozen));
        }
        catch (Exception e) when (e is FileSystemException or BackupException)
        {
            return null;
        }
    }

    /// <summary>Whether the source is the one that whoever shares it sees, through the same kind of file system.</summary>
    private static bool Proves(AssignmentView top, IFileTree tree)
        => top.Terminal?.Shared is { } shared && tree.FileSystemName == shared.FileSystem && InodeOf(tree, FilePath.Root) == shared.Inode;

    /// <summary>Numbers of a file system's root are often the same on all: one of the folders must be there too.</summary>
    private bool HoldsOneOf(IFileTree tree, AssignmentView open)
        => RootsOf(open).Take(FoldersLookedFor).Any(root => InodeOf(tree, root.Path) == root.Status.Inode);

    private static ulong? InodeOf(IFileTree tree, FilePath path)
    {
        try
        {
            return tree.GetStatus(path) is { Kind: EntryKind.Directory } status ? status.Inode : null;
        }
        catch (FileSystemException)
        {
            return null;
        }
    }

    private bool IsUnfit(int source) => _unfit.TryGetValue(source, out long since) && _runtime.Time.GetElapsedTime(since) < node.Request.FailureTimeout / 2;

    private void NoteUnfit(int source) => _unfit[source] = _runtime.Time.GetTimestamp();

    /// <summary>A scan of this node's.</summary>
    /// <param name="Source">Of which source.</param>
    /// <param name="Tree">The source, opened.</param>
    /// <param name="Task">What of it.</param>
    /// <param name="RootFileSystem">The number of its file system.</param>
    /// <param name="Report">Told how far it is.</param>
    /// <param name="Plans">Whether this node plans, and so needs what it finds.</param>
    private sealed record ScanWork(int Source, IFileTree Tree, ScanTask Task, ulong RootFileSystem, Action<ScanProgress> Report, bool Plans)
    {
        /// <summary>What it is in the chains of slots; null as long as nobody shares it.</summary>
        public AssignmentView? Assignment { get; set; }

        /// <summary>When it began.</summary>
        public long Since { get; set; }
    }
}
