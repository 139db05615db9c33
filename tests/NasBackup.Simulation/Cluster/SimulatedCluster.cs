using NasBackup.Coordination;
using NasBackup.Files;
using NasBackup.Jobs;
using NasBackup.Planning;
using NasBackup.Simulation.Checks;
using NasBackup.Simulation.Defects;
using NasBackup.Simulation.Faults;
using NasBackup.Simulation.Measures;
using NasBackup.Simulation.Scheduling;
using NasBackup.Simulation.Storage;

namespace NasBackup.Simulation.Cluster;

/// <summary>How one start of a node ended.</summary>
/// <param name="Process">Its name.</param>
/// <param name="Result">What the run returned, or null.</param>
/// <param name="Failure">What it threw, or null.</param>
internal sealed record NodeEnd(string Process, NodeBackupResult? Result, Exception? Failure);

/// <summary>
/// A cluster in one process: machines with the shipping code of a node on them, a share, a device and a source, and a seed
/// that decides everything that happens.
/// </summary>
internal sealed class SimulatedCluster
{
    public const string SourcePath = "/source/data";
    public const string DevicePath = "/device";
    private static readonly FilePath Marker = FilePath.FromText("nasbackup.json");
    private const int MostStarts = 60;
    private static readonly TimeSpan OperatorRound = TimeSpan.FromSeconds(5);
    private static readonly DateTimeOffset Start = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    private readonly Scheduler _scheduler;
    private readonly FaultInjector _injector;
    private readonly Defect? _defect;
    private readonly Tokens _tokens;
    private readonly Random _random;
    private readonly Oracle _oracle;
    private readonly List<NodeEnd> _ends = [];
    private readonly List<SimulatedProcess> _processes = [];
    private readonly Scenario? _measured;
    private string? _planId;
    private int _starts;

    /// <param name="seed">Decides everything.</param>
    /// <param name="defect">What the checks are to find.</param>
    /// <param name="keepsText">Whether its trace can be read.</param>
    /// <param name="measured">What is measured, where nothing goes wrong; null for a run of the seed's own kind.</param>
    public SimulatedCluster(int seed, Defect? defect = null, bool keepsText = false, Scenario? measured = null)
    {
        _measured = measured;
        Seed = seed;
        _defect = defect;
        _random = Stream(0);
        _scheduler = new Scheduler(Stream(1));
        _tokens = new SeededTokens(Stream(2));
        Trace = new Trace(_scheduler, keepsText);
        Scenario = Scenario.Create(_random);
        // Decided apart, so that the rest of a seed is what it was before there were layouts; defects are about files of a tree.
        Scenario = Scenario with { Layout = defect is null && Stream(6).Next(4) == 0 ? DeviceLayout.Archive : DeviceLayout.Mirror };
        Scenario = Scenario with { Compression = Scenario.Layout is DeviceLayout.Archive && Stream(7).Next(2) == 0 ? VolumeCompression.Zstd : VolumeCompression.None };
        Scenario = measured ?? defect?.Adapt(Scenario) ?? Scenario.WithScan(Stream(8)).WithPatterns(Stream(10));
        Share = new Volume("share", 11, () => _scheduler.Now) { KeepsNamesAtOnce = true, SaysPermissionForExists = _random.Next(4) == 0 };
        Device = new Volume("device", 12, () => _scheduler.Now)
        {
            SyncsAsOne = Scenario.SyncsAsOne, CommitsAtClose = Scenario.CommitsAtClose, KeepsNamesAtOnce = Scenario.DeviceKeepsNames,
        };
        Source = new Volume("source", 13, () => _scheduler.Now) { KeepsNamesAtOnce = true };
        FillVolumes();
        Machines = [.. Enumerable.Range(0, Scenario.Nodes).Select(NewMachine)];
        _injector = new FaultInjector(_scheduler, this, Tally, Trace, Stream(3));
        _oracle = new Oracle(this, _scheduler);
        Share.Watcher = Device.Watcher = _oracle;
    }

    public int Seed { get; }

    public Scenario Scenario { get; }

    public Trace Trace { get; }

    public Tally Tally { get; } = new();

    /// <summary>Counts what the nodes do to the share, or null.</summary>
    public TrafficMeter? Traffic { get; init; }

    public Volume Share { get; }

    public Volume Device { get; }

    public Volume Source { get; }

    public IReadOnlyList<Volume> Volumes => [Share, Device, Source];

    public IReadOnlyList<Machine> Machines { get; }

    public IReadOnlyList<NodeEnd> Ends => _ends;

    /// <summary>Threads that ended with an error.</summary>
    public IEnumerable<(string Thread, Exception Failure)> ThreadFailures => _scheduler.Failures;

    public IReadOnlyList<Fault> Faults { get; private set; } = [];

    /// <summary>Whether something went wrong for which entries may rightly fail.</summary>
    public bool HasEntryFaults { get; set; }

    public bool IsPlanned => _oracle.Facts?.Plan is not null;

    /// <summary>Virtual time at which the last node ended.</summary>
    public TimeSpan Duration { get; private set; }

    public long Switches => _scheduler.Switches;

    /// <summary>Runs until the plan is complete and every node has ended.</summary>
    /// <returns>The promises that were broken; none where all is well.</returns>
    public IReadOnlyList<Violation> Run()
    {
        Faults = _measured is null ? [.. FaultPlan.Create(Scenario, Stream(4)), .. FaultPlan.WhileScanning(Scenario, Stream(9)), .. FaultPlan.WhileStarting(Scenario, Stream(11))] : [];
        Faults = _defect?.Adapt(Faults, Scenario) ?? Faults;
        Trace.Say("(cluster)", Scenario.ToString());
        double lastFault = Faults.Select(fault => (fault.Trigger is null ? fault.At : Scenario.ExpectedDuration * 1.3) + fault.Duration)
            .Select(moment => moment.TotalSeconds).DefaultIfEmpty(0).Max();
        var quiet = TimeSpan.FromSeconds(lastFault + 2);
        PublishRequest();
        _injector.Arm(Faults, quiet);
        for (int i = 0; i < Machines.Count; i++)
        {
            Machine machine = Machines[i];
            _scheduler.At(Scenario.Starts[i], () => StartNode(machine));
        }

        _scheduler.At(quiet + OperatorRound, Operate);
        bool ended = _scheduler.Run(Traffic?.Until ?? quiet + Patience);
        return _oracle.Judge(ended);
    }

    /// <summary>Starts a node on a machine, unless one runs there.</summary>
    public void StartNode(Machine machine)
    {
        if (machine.IsRunning || _planId is null || (_measured is null && _starts >= MostStarts))
        {
            return;
        }

        var process = new SimulatedProcess($"{machine.Name}#{++_starts}");
        machine.Process = process;
        machine.NoteStart(_scheduler.Now);
        _processes.Add(process);
        _scheduler.Start(process.Name, process, () => RunNode(machine, process));
    }

    public void NoteDeath(Machine machine) => _oracle.NoteDeath(machine.Process!.Name);

    public void NoteCutDraft(string process) => _injector.NoteCutDraft(process);

    public void NoteStuck(Machine machine, TimeSpan duration) => _oracle.NoteStuck(machine, duration);

    public string RandomSourceFile(Random random)
    {
        List<(string Path, Inode Inode)> files = SourceFiles();
        return files[random.Next(files.Count)].Path;
    }

    /// <summary>Gives one of the four largest files another time of modification.</summary>
    public void TouchSourceFile(Random random)
    {
        Inode file = SourceFiles().Select(found => found.Inode).Distinct().OrderByDescending(inode => inode.Length).ElementAt(random.Next(4));
        Source.SetMetadata(file, file.Metadata with { ModifiedTime = file.Metadata.ModifiedTime + 1 });
    }

    private List<(string Path, Inode Inode)> SourceFiles()
    {
        var files = new List<(string, Inode)>();
        Walk(Source.Root, "/source", files);
        return files;

        static void Walk(Inode folder, string path, List<(string, Inode)> files)
        {
            foreach ((string name, Inode inode) in folder.Names)
            {
                if (inode.Kind is EntryKind.Directory)
                {
                    Walk(inode, $"{path}/{name}", files);
                }
                else if (inode.Kind is EntryKind.File)
                {
                    files.Add(($"{path}/{FilePath.Display(Volume.Bytes(name))}", inode));
                }
            }
        }
    }

    /// <summary>How long the cluster may take once everything is well again: what its slowest node needs alone, and the waits of the protocol.</summary>
    private TimeSpan Patience
        => TimeSpan.FromSeconds(400 + (3 * (Scenario.ExpectedDuration.TotalSeconds * Scenario.Speeds.Sum() / Scenario.Speeds.Min()))
            + (2 * Scenario.FailoverTimeout.TotalSeconds) + (40 * Scenario.FailureTimeout.TotalSeconds) + (3.0 * Scenario.LargeFile / Scenario.Speeds.Min()));

    private Random Stream(int number) => new(SeedOf(number));

    private int SeedOf(int stream) => unchecked((Seed * 16777619) ^ (stream * 40503));

    private Machine NewMachine(int number)
    {
        Random random = Stream(100 + number);
        var wallError = TimeSpan.FromSeconds(random.Next(-100000, 100000));
        var clock = new MachineClock(_scheduler, Start, behind: -random.NextInt64(1L << 40)) { WallError = wallError };
        var local = new Volume($"local{number}", 100 + (ulong)number, () => _scheduler.Now);
        return new Machine($"n{number + 1}", number, random, clock, local, Volumes, volume => new ClientMount(
            volume, random, () => _scheduler.Now, volume == Share || volume == Device ? Scenario.CacheTime.Ticks : 0, Tally.Count1));
    }

    private void FillVolumes()
    {
        Inode data = Source.Create(Source.Root, FilePath.FromText("data"), EntryKind.Directory, "fill");
        SourceTree.Fill(Source, data, Scenario, new ContentRandom(SeedOf(5)));
        Device.Create(Device.Root, FilePath.FromText("older"), EntryKind.Directory, "fill");
        Inode older = Device.Create(Device.Root, FilePath.FromText("older/file"), EntryKind.File, "fill");
        Device.Write(older, 0, "of an older set"u8);
        Device.SyncAll([older]);
    }

    /// <summary>The client: asks for the backup, and goes.</summary>
    private void PublishRequest()
    {
        var process = new SimulatedProcess("client");
        var runtime = new SimulatedRuntime(_scheduler, process, new MachineClock(_scheduler, Start, behind: 0));
        _scheduler.Start("client", process, () =>
        {
            using var share = new Share(DirectWorld.Open(Share), runtime, _tokens);
            share.Publish(
                FilePath.Root, Marker.ToString(), new ShareDocument(ShareDocument.FormatName, ShareDocument.CurrentVersion, share.Tokens.Next(16)), CoordinationJson.Default.ShareDocument);
            string id = PlanFolder.NewPlanId(share);
            var folder = new PlanFolder(share, id);
            share.MakeFolder(folder.Root);
            RequestDocument request = NewRequest(share, id);
            share.Publish(folder.Root, "request", _defect?.Adapt(request) ?? request, CoordinationJson.Default.RequestDocument);
            _planId = id;
            _oracle.Begin(id);
        });
    }

    private RequestDocument NewRequest(Share share, string id) => new()
    {
        Id = id,
        Token = share.Tokens.Next(16),
        CreatedAt = share.Runtime.Time.GetUtcNow().UtcDateTime,
        Sources = [new SourceDocument(SourcePath, Scenario.HasSourceOwner ? Machines[_random.Next(Machines.Count)].Name : null)],
        Device = DevicePath,
        Nodes = [.. Machines.Select(machine => machine.Name)],
        Strategy = Scenario.Strategy,
        Layout = Scenario.Layout,
        // Small, so that volumes are closed within a run.
        Compression = Scenario.Compression,
        VolumeBytes = Scenario.Layout is DeviceLayout.Archive ? RequestDocument.SmallestVolumeBytes : null,
        Type = BackupType.Full,
        Include = [.. Scenario.Include.Select(pattern => pattern.Text)],
        Exclude = [.. Scenario.Exclude.Select(pattern => pattern.Text)],
        OneFileSystem = false,
        ExcludeCaches = false,
        FailureTimeoutSeconds = Scenario.FailureTimeout.TotalSeconds,
        FailoverTimeoutSeconds = Scenario.FailoverTimeout.TotalSeconds,
        MonitorMode = Scenario.MonitorMode,
        Snapshot = SnapshotMode.None,
        Durability = Durability.Strict,
        SegmentBytes = Scenario.SegmentBytes,
    };

    private void RunNode(Machine machine, SimulatedProcess process)
    {
        var runtime = new SimulatedRuntime(_scheduler, process, machine.Clock);
        var world = new ProcessWorld(_scheduler, process, machine, _injector, Trace, _oracle, Scenario.FolderTime);
        IFileTree Open(string path)
        {
            IFileTree tree = machine.Open(world, path);
            return _defect?.Wrap(tree, path, machine, this) ?? tree;
        }

        try
        {
            using Share share = OpenShare(Open, runtime);
            var folder = new PlanFolder(share, _planId!);
            RequestDocument request = folder.ReadRequest()
                ?? throw new BackupException(ErrorIds.PlanNotFound, ErrorKind.NotFound, $"There is no plan {_planId} on '{share.Path}'.", _planId);
            double Speed(string node) => Scenario.Speeds[int.Parse(node[1..]) - 1];
            var log = new NodeLog(share);
            var environment = new NodeEnvironment
            {
                ToOwnPath = path => path,
                Open = Open,
                CostOf = node => new NodeCost(node[0] == 'n' ? Speed(node) : 1_000_000),
                TakeTurn = new BackupTurn(share, new PlanStore(share)).TryTake,
                LocalNode = machine.Name,
                WatchAllUpTo = Scenario.WatchAllUpTo,
                ShareScanAfter = Scenario.ShareScanAfter,
                HeldEntries = Scenario.HeldEntries,
                Log = (result, heart) => log.Append(result.Node, new LogDocument(
                    result.PlanId, runtime.Time.GetUtcNow().UtcDateTime, heart.Meter.Seconds, heart.EntriesDone, heart.BytesDone, heart.Meter.Fit.TransferRate, heart.Meter.Fit.CostPerEntry, result.Status)),
            };
            var options = new NodeRunOptions
            {
                Workers = Scenario.Workers,
                MaxBytesPerSecond = (long)Speed(machine.Name),
                Verbose = text => Trace.Say(process.Name, text),
                Warning = text => Trace.Say(process.Name, text),
            };
            using var run = new NodeRun(folder, request, machine.Name, environment, options, CancellationToken.None);
            NodeBackupResult result = run.Run();
            _ends.Add(new NodeEnd(process.Name, result, null));
            if (result.ErrorId == ErrorIds.ShareFull && !IsPlanned)
            {
                Tally.Count("planning: stopped, the share is full");
            }
        }
        catch (ProcessDeadException)
        {
            throw;
        }
        catch (Exception e)
        {
            _ends.Add(new NodeEnd(process.Name, null, e));
        }

        Trace.Say(process.Name, $"ended: {_ends[^1].Result?.Status.ToString() ?? _ends[^1].Failure?.Message} {_ends[^1].Result?.Problem}");
        Duration = TimeSpan.FromTicks(_scheduler.Now);
    }

    /// <summary>As <see cref="ShareOpener"/> does it: followed to wherever its path leads.</summary>
    private Share OpenShare(Func<string, IFileTree> open, SimulatedRuntime runtime)
    {
        const string Path = "/share";
        bool IsIt(IFileTree tree) => new Share(tree, runtime, _tokens).TryRead(Marker, CoordinationJson.Default.ShareDocument) is not null;
        IFileTree opened = open(Path);
        return IsIt(opened)
            ? new Share(new FollowingTree(Path, opened, open, IsIt, runtime), runtime, _tokens)
            : throw new BackupException(ErrorIds.ShareNotFound, ErrorKind.NotFound, $"'{Path}' is not a share of NasBackup.", Path);
    }

    /// <summary>Somebody who starts a node again where none is left, until the plan is complete.</summary>
    private void Operate()
    {
        bool anyRuns = Machines.Any(machine => machine.IsRunning);
        if (_oracle.IsComplete && !anyRuns)
        {
            return;
        }

        if (!anyRuns)
        {
            Tally.Count("started again by the operator");
            StartNode(Machines[_random.Next(Machines.Count)]);
        }

        _scheduler.At(TimeSpan.FromTicks(_scheduler.Now) + OperatorRound, Operate);
    }
}
