using System.Text.Json;
using NasBackup.Coordination;
using NasBackup.Files;
using NasBackup.Jobs;
using NasBackup.Planning;
using NasBackup.Tests.Support;
using Xunit;

namespace NasBackup.Tests.Cluster;

/// <summary>A source with more entries than a node holds in memory: here that are forty. The plan is made from the parts, and is the
/// one that is made where all of it is in memory.</summary>
public sealed class LongPlanTests : IDisposable
{
    private const int Held = 40;

    /// <summary>So that the scan takes long enough to be shared.</summary>
    private static readonly string Slow = $"slow {50 * Math.Clamp(Environment.ProcessorCount, 1, 8)} scan *";

    private readonly FaultCluster _cluster = new(files: 20, bytes: 3_000_000);

    public LongPlanTests()
    {
        for (int i = 0; i < 100; i++)
        {
            string folder = Path.Combine(_cluster.Nodes.Source, $"a{i / 10}", $"b{i % 10}");
            Directory.CreateDirectory(folder);
            File.WriteAllText(Path.Combine(folder, "file"), $"content {i}");
        }

        foreach (string other in (string[])["a7/b7", "a9/b9", "a0/b0"])
        {
            Tool.Run("ln", Path.Combine(_cluster.Nodes.Source, "a1/b1/file"), Path.Combine(_cluster.Nodes.Source, other, "other"));
        }

        using IFileTree tree = FileTree.Open(_cluster.Nodes.Source);
        Assert.SkipUnless(FileSystemTraits.KeepsInodes(tree.FileSystemName), $"A scan on {tree.FileSystemName} is not shared.");
    }

    public void Dispose() => _cluster.Dispose();

    [Theory]
    [InlineData(PlanStrategy.Balanced, DeviceLayout.Mirror)]
    [InlineData(PlanStrategy.Proportional, DeviceLayout.Mirror)]
    [InlineData(PlanStrategy.RoundRobin, DeviceLayout.Archive)]
    public void A_plan_from_parts_and_the_next_one_that_builds_on_it_are_those_that_are_made_in_memory(PlanStrategy strategy, DeviceLayout layout)
    {
        string[] more = ["-Strategy", $"{strategy}", "-Layout", $"{layout}"];
        string[] inMemory = Lines(_cluster.Nodes.Plan(more, "nas1,nas2"));
        string first = Run(more);
        Assert.Equal(inMemory, Lines(first));
        Assert.DoesNotContain(inMemory, line => line.Contains("Use = Link", StringComparison.Ordinal));

        File.WriteAllText(Path.Combine(_cluster.Nodes.Source, "a3/b3/file"), "another content");
        File.WriteAllText(Path.Combine(_cluster.Nodes.Source, "a3/b3/new"), "new");
        if (layout is DeviceLayout.Mirror)
        {
            // What is gone from the source is in the volumes of the base still, and plain tar gives it back.
            File.Delete(Path.Combine(_cluster.Nodes.Source, "a4/b4/file"));
        }

        string again = _cluster.Nodes.Plan(more, "nas1,nas2");
        inMemory = Lines(again);
        string second = Run(more);
        Assert.Equal(inMemory, Lines(second));
        Assert.InRange(inMemory.Count(line => line.Contains("Use = Link", StringComparison.Ordinal)), 100, 125);
        if (layout is DeviceLayout.Mirror)
        {
            _cluster.Nodes.AssertSetIsRight(second);
        }
        else
        {
            _cluster.Nodes.AssertVolumesAreSource(second);
        }
    }

    [Fact]
    public void Who_dies_in_the_middle_of_its_lists_is_replaced_and_nothing_of_them_is_left()
    {
        string plan = _cluster.Nodes.Request("nas1,nas2", failureTimeout: 1.5);
        RunnerProcess victim = _cluster.Start(plan, "nas1", $"{Slow};kill 1 work *W1", heldEntries: Held);
        TestCluster.WaitFor(() => File.Exists(Path.Combine(PlanPath(plan), "planning", "1")), "nas1 plans");
        RunnerProcess second = _cluster.Start(plan, "nas2", Slow, heldEntries: Held);
        FaultCluster.WaitForDeath(victim, "work");
        Assert.Equal("Completed", TestCluster.Result(second).GetProperty("Status").GetString());
        Assert.False(Directory.Exists(Path.Combine(PlanPath(plan), "work")));
        _cluster.Nodes.AssertSetIsRight(plan);
    }

    [Fact]
    public void Who_wakes_up_in_the_middle_of_planning_when_all_is_over_leaves_the_set_alone()
    {
        // With a base: what it has is looked for in the working lists, which are gone then.
        RunnerProcess before = _cluster.Start(_cluster.Nodes.Request("nas1", failureTimeout: 4), "nas1");
        Assert.Equal("Completed", TestCluster.Result(before).GetProperty("Status").GetString());
        string plan = _cluster.Nodes.Request("nas1,nas2", failureTimeout: 1.5);
        RunnerProcess late = _cluster.Start(plan, "nas1", $"{Slow};stop 1 prepare *", heldEntries: Held);
        TestCluster.WaitFor(() => File.Exists(Path.Combine(PlanPath(plan), "planning", "1")), "nas1 plans");
        RunnerProcess second = _cluster.Start(plan, "nas2", Slow, heldEntries: Held);
        FaultCluster.WaitForStop(late, "prepare");
        Assert.Equal("Completed", TestCluster.Result(second).GetProperty("Status").GetString());

        late.Signal(Signals.Continue);

        Assert.True(late.WaitForExit() == 0, late.Describe());
        _cluster.Nodes.AssertSetIsRight(plan);
    }

    [Theory]
    [InlineData("make")]
    [InlineData("prepare")]
    public void Who_wakes_up_where_it_makes_the_sets_folder_when_the_set_has_been_removed_leaves_none_behind(string point)
    {
        string before = _cluster.Nodes.Request("nas1", failureTimeout: 4);
        Assert.Equal("Completed", TestCluster.Result(_cluster.Start(before, "nas1")).GetProperty("Status").GetString());
        string plan = _cluster.Nodes.Request("nas1,nas2", failureTimeout: 1.5);
        RunnerProcess late = _cluster.Start(plan, "nas1", $"{Slow};stop 1 {point} *", heldEntries: Held);
        TestCluster.WaitFor(() => File.Exists(Path.Combine(PlanPath(plan), "planning", "1")), "nas1 plans");
        RunnerProcess second = _cluster.Start(plan, "nas2", Slow, heldEntries: Held);
        FaultCluster.WaitForStop(late, point);
        Assert.Equal("Completed", TestCluster.Result(second).GetProperty("Status").GetString());
        Remove(plan);

        late.Signal(Signals.Continue);

        Assert.True(late.WaitForExit() == 0, late.Describe());
        Assert.Equal("Completed", late.Objects[^1].GetProperty("Status").GetString());
        Assert.Equal([before], Directory.GetFileSystemEntries(_cluster.Nodes.Device).Select(Path.GetFileName));
        // Nothing pins what the plan was built on.
        Remove(before);
        Assert.Empty(Directory.GetFileSystemEntries(_cluster.Nodes.Device));
    }

    [Fact]
    public void A_share_that_fills_up_while_the_plan_is_put_together_stops_the_nodes_which_go_on_with_what_was_scanned_when_there_is_room()
    {
        using var share = Mounted.Tmpfs(_cluster.Nodes.Share, "size=3m,mode=0755");
        string plan = _cluster.Nodes.Request("nas1,nas2", failureTimeout: 10, "-Strategy", "Proportional");
        // The second list: when the first one is removed, there is room for a decision.
        RunnerProcess planner = _cluster.Start(plan, "nas1", $"{Slow};stop 1 work *W2", heldEntries: Held);
        TestCluster.WaitFor(() => File.Exists(Path.Combine(PlanPath(plan), "planning", "1")), "nas1 plans");
        RunnerProcess other = _cluster.Start(plan, "nas2", Slow, heldEntries: Held);
        FaultCluster.WaitForStop(planner, "work");
        TestCluster.WaitFor(() => _cluster.Nodes.Record(plan, "nas2") is not null, "nas2 has begun");
        string ballast = Path.Combine(share.Path, "ballast");
        Mounted.Fill(ballast);
        planner.Signal(Signals.Continue);

        AssertStoppedForRoom(planner, share.Path);
        AssertStoppedForRoom(other, share.Path);
        string scans = Path.Combine(PlanPath(plan), "scans");
        string[] scanned = Directory.GetFiles(scans, "*", SearchOption.AllDirectories);
        using (RunnerProcess told = RunnerProcess.Run("--json", "Get-NasBackupPlan", "-Share", share.Path, "-PlanId", plan))
        {
            Assert.Equal("Stopped", told.Objects[^1].GetProperty("Status").GetString());
            Assert.Contains("Make room", told.Objects[^1].GetProperty("Problem").GetString(), StringComparison.OrdinalIgnoreCase);
        }

        File.Delete(ballast);
        RunnerProcess[] again = [_cluster.Start(plan, "nas1", heldEntries: Held), _cluster.Start(plan, "nas2", heldEntries: Held)];
        Assert.All(again, node => Assert.Equal("Completed", TestCluster.Result(node).GetProperty("Status").GetString()));
        Assert.Equal(scanned.Order(StringComparer.Ordinal), Directory.GetFiles(scans, "*", SearchOption.AllDirectories).Order(StringComparer.Ordinal));
        _cluster.Nodes.AssertSetIsRight(plan);
    }

    [Fact]
    public void A_part_that_is_damaged_makes_the_planner_scan_all_by_itself()
    {
        string plan = _cluster.Nodes.Request("nas1", failureTimeout: 4);
        RunnerProcess node = _cluster.Start(plan, "nas1", $"{Slow};slow 2000 work */wor?/????????", heldEntries: Held);
        string held = Path.Combine(PlanPath(plan), "work");
        TestCluster.WaitFor(() => Directory.Exists(held), "the parts are put together");
        foreach (string part in Directory.GetFiles(Path.Combine(PlanPath(plan), "scans"), "list.*", SearchOption.AllDirectories))
        {
            File.WriteAllBytes(part, File.ReadAllBytes(part)[..^20]);
        }

        Assert.Equal("Completed", TestCluster.Result(node).GetProperty("Status").GetString());
        Assert.Contains("cannot be used, so this node scans all of it", node.Errors, StringComparison.Ordinal);
        _cluster.Nodes.AssertSetIsRight(plan);
    }

    private void Remove(string set)
    {
        using RunnerProcess removed = RunnerProcess.Run("--json", "Remove-NasBackupSet", "-Device", _cluster.Nodes.Device, "-SetId", set, "-Confirm:$false");
        Assert.True(removed.ExitCode == 0, removed.Describe());
    }

    private static void AssertStoppedForRoom(RunnerProcess node, string share)
    {
        node.WaitForExit();
        Assert.True(node.ExitCode == 1, node.Describe());
        JsonElement result = node.Objects[^1];
        Assert.Equal("Stopped", result.GetProperty("Status").GetString());
        Assert.Equal("ShareFull", result.GetProperty("ErrorId").GetString());
        string problem = result.GetProperty("Problem").GetString()!;
        Assert.Contains($"room on the share '{share}'", problem, StringComparison.Ordinal);
        Assert.Contains("resume with Start-NasNodeBackup", problem, StringComparison.Ordinal);
    }

    /// <summary>Two nodes plan, from parts, and back up.</summary>
    private string Run(string[] more)
    {
        string plan = _cluster.Nodes.Request("nas1,nas2", failureTimeout: 4, more);
        RunnerProcess first = _cluster.Start(plan, "nas1", Slow, heldEntries: Held);
        RunnerProcess second = _cluster.Start(plan, "nas2", Slow, heldEntries: Held);
        Assert.Equal("Completed", TestCluster.Result(first).GetProperty("Status").GetString());
        Assert.Equal("Completed", TestCluster.Result(second).GetProperty("Status").GetString());
        Assert.Empty(Directory.GetFileSystemEntries(Path.Combine(PlanPath(plan), "work")));
        // Some are longer by what lies in the folders that were in hand; but only the first may be as long as all that is held.
        long[] parts = [.. PartsOf(plan).Order()];
        Assert.InRange(parts[parts.Length / 2], 1, Held / 2);
        return plan;
    }

    private string PlanPath(string plan) => Path.Combine(_cluster.Nodes.Share, "plans", plan[..6], plan);

    /// <summary>How many entries each part of the scan has.</summary>
    private long[] PartsOf(string plan)
    {
        using IFileTree tree = FileTree.Open(_cluster.Nodes.Share);
        PlanFolder folder = _cluster.Nodes.Folder(tree, plan);
        var scans = new ClusterView(folder, [new AssignmentDocument("S1", null, null, "none", 0, 0)], 1, folder.ScanSlots);
        scans.Refresh();
        return [.. scans.All.Select(scan => scan.Terminal?.Part?.Entries).OfType<long>()];
    }

    /// <summary>What stands on the plan's lists, and on which.</summary>
    private string[] Lines(string plan)
    {
        using IFileTree tree = FileTree.Open(_cluster.Nodes.Share);
        PlanFolder folder = _cluster.Nodes.Folder(tree, plan);
        folder.Planning.Refresh();
        PlanDocument document = folder.Planning.Last!.Plan!;
        var view = new ClusterView(folder, document);
        return [.. document.Lists.SelectMany(list => ListFiles.Read(folder, view.Find(list.Assignment.Id)!)
            .Select(item => $"{list.Assignment.Id} {item.Entry.Path} {item.Entry.Status} {string.Join("|", item.Entry.OtherNames ?? [])} {item.Segment} {item.Base}"))];
    }
}
