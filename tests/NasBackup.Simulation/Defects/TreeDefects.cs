using NasBackup.Files;
using NasBackup.Simulation.Checks;
using NasBackup.Simulation.Cluster;
using NasBackup.Simulation.Faults;

namespace NasBackup.Simulation.Defects;

/// <summary>A scan that does not see the last file of each folder.</summary>
internal sealed class ForgetfulScan : Defect
{
    public override Promise Breaks => Promise.EveryEntryIsAccountedFor;

    public override IFileTree Wrap(IFileTree tree, string path, Machine machine, SimulatedCluster cluster)
        => path.StartsWith("/source", StringComparison.Ordinal) ? new Tree(tree) : tree;

    private sealed class Tree(IFileTree inner) : DelegatingTree(inner)
    {
        public override IReadOnlyList<DirectoryItem> ReadDirectory(FilePath path, bool withStatus = true)
            => [.. Inner.ReadDirectory(path, withStatus).SkipLast(1)];
    }
}

/// <summary>A device whose sync calls return and do nothing.</summary>
internal sealed class SyncThatDoesNothing : Defect
{
    public override Promise Breaks => Promise.CountersStayBehindStorage;

    public override Scenario Adapt(Scenario scenario) => scenario with { CommitsAtClose = false };

    public override IFileTree Wrap(IFileTree tree, string path, Machine machine, SimulatedCluster cluster)
        => path.StartsWith(SimulatedCluster.DevicePath, StringComparison.Ordinal) ? new Tree(tree) : tree;

    private sealed class Tree(IFileTree inner) : DelegatingTree(inner)
    {
        public override IFileHandle CreateNew(FilePath path) => new Handle(Inner.CreateNew(path));

        public override void SyncAll()
        {
        }

        public override void SyncDirectory(FilePath path)
        {
        }
    }

    private sealed class Handle(IFileHandle inner) : DelegatingHandle(inner)
    {
        public override void Sync()
        {
        }
    }
}

/// <summary>A share on which a link replaces what stands under its name, as a rename does.</summary>
internal sealed class LinkThatReplaces : Defect
{
    public override Promise Breaks => Promise.DecidedOnce;

    public override IFileTree Wrap(IFileTree tree, string path, Machine machine, SimulatedCluster cluster)
        => path == "/share" ? new Tree(tree) : tree;

    private sealed class Tree(IFileTree inner) : DelegatingTree(inner)
    {
        public override void Link(FilePath existing, FilePath added)
        {
            Inner.Delete(added);
            Inner.Link(existing, added);
        }
    }
}

/// <summary>A device on which creating a file opens the one that exists.</summary>
internal sealed class CreationThatOpens : Defect
{
    public override Promise Breaks => Promise.BytesAsRecorded;

    public override IReadOnlyList<Fault> Adapt(IReadOnlyList<Fault> faults, Scenario scenario)
        => [.. faults, NewFault(FaultKind.FrozenMachine, 0, scenario.ExpectedDuration.TotalSeconds / 2, scenario.FailureTimeout.TotalSeconds * 4)];

    public override IFileTree Wrap(IFileTree tree, string path, Machine machine, SimulatedCluster cluster)
        => path.StartsWith(SimulatedCluster.DevicePath, StringComparison.Ordinal) ? new Tree(tree) : tree;

    private sealed class Tree(IFileTree inner) : DelegatingTree(inner)
    {
        public override IFileHandle CreateNew(FilePath path)
            => FilePath.Display(path.Bytes).StartsWith("data/", StringComparison.Ordinal) ? Inner.OpenReadWrite(path) : Inner.CreateNew(path);
    }
}

/// <summary>A share on which a record that was read once is answered from a cache for some failure timeouts, even to an open.</summary>
internal sealed class StaleRecords : Defect
{
    public override Promise Breaks => Promise.OnlyFreshReadsAccuse;

    public override IFileTree Wrap(IFileTree tree, string path, Machine machine, SimulatedCluster cluster)
        => path == "/share" ? new Tree(tree, machine, cluster.Scenario.FailureTimeout * 3) : tree;

    private sealed class Tree(IFileTree inner, Machine machine, TimeSpan keeps) : DelegatingTree(inner)
    {
        private readonly Dictionary<FilePath, (long At, byte[] Bytes)> _cached = [];

        public override IFileHandle OpenRead(FilePath path)
        {
            if (!FilePath.Display(path.Bytes).Contains("/records/", StringComparison.Ordinal))
            {
                return Inner.OpenRead(path);
            }

            if (!_cached.TryGetValue(path, out (long At, byte[] Bytes) cached) || machine.Clock.GetElapsedTime(cached.At) > keeps)
            {
                using IFileHandle handle = Inner.OpenRead(path);
                var bytes = new byte[handle.GetStatus().Size];
                handle.ReadAt(bytes, 0);
                _cached[path] = cached = (machine.Clock.GetTimestamp(), bytes);
            }

            return new Handle(cached.Bytes);
        }
    }

    private sealed class Handle(byte[] bytes) : DelegatingHandle(inner: null!)
    {
        public override int ReadAt(Span<byte> buffer, long offset)
        {
            int length = (int)Math.Clamp(bytes.Length - offset, 0, buffer.Length);
            bytes.AsSpan((int)Math.Min(offset, bytes.Length), length).CopyTo(buffer);
            return length;
        }
    }
}

/// <summary>Only the process that was started first can publish that it finalises.</summary>
internal sealed class OnlyTheFirstFinishes : Defect
{
    public override Promise Breaks => Promise.NobodyIsIndispensable;

    public override IReadOnlyList<Fault> Adapt(IReadOnlyList<Fault> faults, Scenario scenario)
        => [NewFault(FaultKind.MachineCrash, 0, scenario.ExpectedDuration.TotalSeconds / 2, 1)];

    public override Scenario Adapt(Scenario scenario)
        => scenario with { Nodes = 2, Speeds = scenario.Speeds[..2], Starts = scenario.Starts[..2], LargeFile = 0 };

    public override IFileTree Wrap(IFileTree tree, string path, Machine machine, SimulatedCluster cluster)
        => path == "/share" && machine.Process?.Name.EndsWith("#1", StringComparison.Ordinal) is not true ? new Tree(tree) : tree;

    private sealed class Tree(IFileTree inner) : DelegatingTree(inner)
    {
        public override void Link(FilePath existing, FilePath added)
        {
            if (FilePath.Display(added.Bytes).Contains("/completion/", StringComparison.Ordinal))
            {
                throw new FileSystemException(FileProblem.AccessDenied, "link", $"{RootPath}/{added}", "Operation not permitted");
            }

            Inner.Link(existing, added);
        }
    }
}

/// <summary>Failures to open a file of the source that do not say which.</summary>
internal sealed class FailuresWithoutNames : Defect
{
    public override Promise Breaks => Promise.WhatFailsIsSaid;

    public override IReadOnlyList<Fault> Adapt(IReadOnlyList<Fault> faults, Scenario scenario)
        => [.. faults, NewFault(FaultKind.UnreadableFile, 0, 0.5, 1)];

    public override IFileTree Wrap(IFileTree tree, string path, Machine machine, SimulatedCluster cluster)
        => path.StartsWith("/source", StringComparison.Ordinal) ? new Tree(tree) : tree;

    private sealed class Tree(IFileTree inner) : DelegatingTree(inner)
    {
        public override IFileHandle OpenRead(FilePath path)
        {
            try
            {
                return Inner.OpenRead(path);
            }
            catch (FileSystemException e)
            {
                throw new FileSystemException(e.Problem, "", "", "");
            }
        }
    }
}
