using NasBackup.Coordination;
using NasBackup.Files;
using NasBackup.Planning;

namespace NasBackup.Jobs;

/// <summary>
/// Several nodes scan a source together. Whoever plans begins alone; when it takes long, it gives folders that it has found and
/// not read to the nodes that wait for the plan, and so do these. A part is an assignment: claimed, cut, closed and taken
/// over in its chain of slots, as lists are. Only a whole part counts; who fails while scanning has done nothing, but for
/// what it gave away. The parts are lists in order of the paths, which whoever plans merges.
/// </summary>
/// <param name="node">The node.</param>
internal sealed partial class SharedScan(NodeContext node)
{
    /// <summary>Who waits for other nodes' parts looks that often whether they are done.</summary>
    private static readonly TimeSpan WaitStep = TimeSpan.FromMilliseconds(250);

    private readonly INodeRuntime _runtime = node.Runtime;
    private readonly ListFiles _lists = new(node.Folder, node.Heart.Meter.AddStep, node.Folder.Scan);
    private readonly Dictionary<string, FilePath[]> _roots = new(StringComparer.Ordinal);
    private readonly Dictionary<string, SortedPart> _own = new(StringComparer.Ordinal);
    private readonly ClusterView _view = new(
        node.Folder,
        node.Request.Sources.Select((_, source) => new AssignmentDocument(IdOf(source), null, null, "none", 0, 0)),
        node.Request.Sources.Count,
        node.Folder.ScanSlots);

    /// <summary>Each source has a chain of its own that is looked at; of so many at most.</summary>
    private const int MostSources = 64;

    /// <summary>Whether scans of a plan can be shared by a node.</summary>
    public static bool IsPossible(NodeContext node)
        => node.Heart.TakesWork && node.Request is { Job: null, Sources.Count: <= MostSources };

    /// <summary>What a request selects.</summary>
    public static ScanOptions OptionsOf(RequestDocument request) => new()
    {
        Include = request.Include,
        Exclude = request.Exclude,
        OneFileSystem = request.OneFileSystem,
        ExcludeCaches = request.ExcludeCaches,
    };

    /// <summary>For whoever plans: all of a source, found here and by others. Blocks until it is found.</summary>
    /// <param name="source">Which source.</param>
    /// <param name="tree">The source, opened.</param>
    /// <param name="room">How much may be held in memory.</param>
    /// <param name="report">Told how far this node is.</param>
    /// <returns>Null where this node has to scan it all by itself: the others see it in another way.</returns>
    /// <exception cref="FileSystemException">The source has gone away as a whole.</exception>
    /// <exception cref="PlanningLostException">Another plans now.</exception>
    /// <exception cref="BackupException">The share does not answer.</exception>
    /// <exception cref="WorkingListException">What does not go into memory cannot be written.</exception>
    public ScannedSource? Scan(int source, IFileTree tree, PlanRoom room, Action<ScanProgress> report)
    {
        if (!FileSystemTraits.KeepsInodes(tree.FileSystemName))
        {
            return null;
        }

        FileStatus root = tree.GetStatus(FilePath.Root);
        AssignmentView top = _view.Find(IdOf(source))!;
        Patiently(() => _view.Refresh(top));
        if (top.Terminal is null)
        {
            var work = new ScanWork(source, tree, ScanTask.Whole(source, root), root.FileSystem, report, Plans: true);
            try
            {
                ScanResult found = Run(work);
                if (work.Assignment is null)
                {
                    return new ScannedSource(found);
                }
            }
            catch (PlanningLostException e) when (top.Terminal is not null)
            {
                node.Verbose(e.Message);
            }
        }
        else if (!Proves(top, tree))
        {
            node.Verbose($"others have scanned a part of {node.Request.Sources[source].Path}, which this node sees in another way; it scans all of it.");
            return null;
        }

        try
        {
            WaitForAll(source, tree, report);
            return Merge(source, root.FileSystem, room);
        }
        catch (BackupException e) when (e.ErrorId == ErrorIds.RecordDamaged)
        {
            node.Verbose($"what others have scanned cannot be used, so this node scans all of it: {e.Message}");
            return null;
        }
    }

    /// <summary>For whoever waits for the plan, right after a look at the others: scans a part, where there is one to be had, and
    /// takes over from those that failed while scanning.</summary>
    /// <returns>Whether it did something.</returns>
    /// <exception cref="FileSystemException">The share does not answer.</exception>
    public bool Help()
    {
        try
        {
            return TryHelp();
        }
        catch (BackupException e) when (e.ErrorId == ErrorIds.RecordDamaged)
        {
            // Whoever plans finds it too, and scans by itself.
            node.Verbose($"it cannot help to scan: {e.Message}");
            return false;
        }
    }

    private bool TryHelp()
    {
        ReadNews();
        JudgeAll();
        foreach (AssignmentView open in Unclaimed)
        {
            int source = SourceOf(open);
            if (IsUnfit(source))
            {
                continue;
            }

            using IFileTree? tree = TryOpen(source);
            if (tree is null || !Proves(_view.Find(IdOf(source))!, tree) || !HoldsOneOf(tree, open))
            {
                NoteUnfit(source);
                continue;
            }

            if (TryClaim(open))
            {
                TryRun(open, tree);
                return true;
            }
        }

        return false;
    }

    private static string IdOf(int source) => $"S{source + 1}";

    private static int SourceOf(AssignmentView scan) => int.Parse(AssignmentView.ListOf(scan.Id)[1..], System.Globalization.CultureInfo.InvariantCulture) - 1;

    private static bool IsOf(AssignmentView scan, int source) => AssignmentView.ListOf(scan.Id) == IdOf(source);

    private IEnumerable<AssignmentView> Unclaimed => _view.Open.Where(open => open.Parent is not null && open.Owner is null);

    /// <summary>Scans what nobody has claimed, and waits for the rest.</summary>
    private void WaitForAll(int source, IFileTree tree, Action<ScanProgress> report)
    {
        node.Heart.State = NodeState.Scanning;
        while (_view.Open.Any(open => IsOf(open, source)))
        {
            node.Cancellation.ThrowIfCancellationRequested();
            node.Heart.Meter.AddPulse();
            AssignmentView? mine = null;
            Patiently(() =>
            {
                if (!LookAround() && node.Detector.Look(ExpectedEnd.IsAtWork))
                {
                    // Between two looks at everything, at those who scan: the plan waits for the last of them.
                    ReadNews();
                }

                ThrowIfAnotherPlans();
                mine = Unclaimed.FirstOrDefault(open => IsOf(open, source));
                mine = mine is not null && TryClaim(mine) ? mine : null;
            });
            if (mine is null)
            {
                _runtime.Sleep(WaitStep, node.Cancellation);
                continue;
            }

            try
            {
                Run(WorkOf(mine, tree, report, plans: true));
            }
            catch (PlanningLostException e)
            {
                node.Verbose(e.Message);
            }
        }

        node.Heart.State = NodeState.Working;
    }

    /// <summary>All parts of a source in one.</summary>
    private ScannedSource Merge(int source, ulong rootFileSystem, PlanRoom room)
    {
        AssignmentView[] done = [.. _view.All.Where(scan => IsOf(scan, source) && scan.Terminal is { Kind: SlotKind.Done, Part: not null })];
        ScanPartDocument[] parts = [.. done.Select(scan => scan.Terminal!.Part!)];
        PackedEntries packed = new();
        ListedItems? listed = null;
        bool isHeld = room.TryHold(parts.Sum(part => part.Entries));
        if (!isHeld)
        {
            _own.Clear();
        }

        Patiently(() =>
        {
            var merge = new ScanMerge([.. done.Select(PartOf)], rootFileSystem, node.Heart.Meter.AddStep) { InDoubt = InDoubt(source) };
            (packed, listed) = isHeld ? (merge.ToPacked(), null) : (packed, merge.ToListed(room.Lists));
        });
        node.Verbose($"{listed?.Count ?? packed.Count} entries of {node.Request.Sources[source].Path} were found in {parts.Length} parts by {string.Join(", ", done.GroupBy(scan => scan.Node).Select(part => $"{part.Key} ({part.Sum(scan => scan.Terminal!.Part!.Entries)})"))}.");
        _own.Clear();
        return new ScannedSource(new ScanResult
        {
            Entries = packed,
            Bytes = listed?.BytesToMove ?? packed.Bytes,
            UnstoredBytes = parts.Sum(part => part.UnstoredBytes),
            SkippedCounts = parts.SelectMany(part => part.Skipped).GroupBy(skipped => Enum.Parse<SkipReason>(skipped.Key)).ToDictionary(reason => reason.Key, reason => reason.Sum(skipped => skipped.Value)),
            Skipped = [],
            Unreadable = [.. parts.SelectMany(part => part.Unreadable).Select(item => new Unreadable(FilePath.Parse(item.Path), item.Problem)).OrderBy(item => item.Path).Take(ScanPartDocument.MostUnreadable)],
            UnreadableCount = parts.Sum(part => part.UnreadableCount),
        }, listed);

        SortedPart PartOf(AssignmentView scan) => _own.TryGetValue(scan.Id, out SortedPart? own)
            ? own
            : new SortedPart(ReadList(scan, scan.Terminal!.Part!.List, scan.Terminal.Part.Entries), scan.Terminal.Part.RootFileSystem);
    }

    /// <summary>Where patterns include: folders that were given away, and those that they lie in. Who found them does not know whether
    /// they hold anything; one that could not be read is an entry all the same.</summary>
    private HashSet<FilePath> InDoubt(int source)
    {
        var inDoubt = new HashSet<FilePath>();
        foreach (AssignmentView part in node.Request.Include.Count == 0 ? [] : _view.All.Where(scan => IsOf(scan, source) && scan.Parent is not null))
        {
            foreach (FilePath root in RootPathsOf(part))
            {
                for (FilePath at = root; !at.IsRoot && inDoubt.Add(at); at = at.Parent)
                {
                }
            }
        }

        inDoubt.ExceptWith(_view.All.Where(scan => IsOf(scan, source)).SelectMany(scan => scan.Terminal?.Part?.Unreadable ?? []).Select(item => FilePath.Parse(item.Path)));
        return inDoubt;
    }

    private IEnumerable<Entry> ReadList(AssignmentView scan, string list, long entries) => EntryListReader.Read(
        node.Folder.Share.Tree, node.Folder.Scan(scan.Id).Combine(list), new ExpectedList(node.Folder.PlanId, scan.Id, entries, node.Request.Sources.Count), node.Folder.Share.Sealer).Select(item => item.Entry);

    private Entry[] RootsOf(AssignmentView scan) => [.. ReadList(scan, scan.Document.List, scan.Document.Entries)];

    /// <summary>What was given away of it: by its owner, and by all that had it before as a part of theirs.</summary>
    private HashSet<FilePath> GivenAwayOf(AssignmentView scan)
    {
        var given = new HashSet<FilePath>();
        var line = new HashSet<string>(StringComparer.Ordinal);
        for (AssignmentView? at = scan; at is not null; at = at.Parent)
        {
            line.Add(at.Id);
            foreach (AssignmentDocument successor in at.Cuts.SelectMany(cut => cut.Successors!).Where(successor => !line.Contains(successor.Id)))
            {
                given.UnionWith(RootPathsOf(_view.Find(successor.Id)!));
            }
        }

        return given;
    }

    private FilePath[] RootPathsOf(AssignmentView scan)
    {
        if (!_roots.TryGetValue(scan.Id, out FilePath[]? roots))
        {
            _roots[scan.Id] = roots = [.. RootsOf(scan).Select(root => root.Path)];
        }

        return roots;
    }

    /// <summary>Does something on the share, again and again while that does not answer, up to the failover timeout; once more at least,
    /// however long it takes.</summary>
    /// <exception cref="BackupException">It did not answer for so long.</exception>
    private void Patiently(Action action)
    {
        long? since = null;
        while (true)
        {
            try
            {
                action();
                return;
            }
            catch (FileSystemException e) when (e.IsDeviceWide)
            {
                throw new BackupException(
                    ErrorIds.ShareFull, ErrorKind.NoSpace, $"{e.Message}. Make room on the share '{node.Folder.Share.Path}' (or make it writable), then resume with Start-NasNodeBackup.", node.Folder.Share.Path, e);
            }
            catch (FileSystemException e)
            {
                since ??= _runtime.Time.GetTimestamp();
                if (_runtime.Time.GetElapsedTime(since.Value) > node.Request.FailoverTimeout)
                {
                    throw new BackupException(ErrorIds.FileOperationFailed, ErrorKind.DeviceError, $"Node {node.Me.Node} could not read what others have scanned for {node.Request.FailoverTimeout}: {e.Message}", node.Folder.PlanId, e);
                }

                node.Cancellation.ThrowIfCancellationRequested();
                node.Heart.Meter.AddPulse();
                _runtime.Sleep(WaitStep, node.Cancellation);
            }
        }
    }
}
