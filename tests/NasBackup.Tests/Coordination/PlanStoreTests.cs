using NasBackup.Coordination;
using NasBackup.Files;
using NasBackup.Jobs;

namespace NasBackup.Tests.Coordination;

public sealed class PlanStoreTests : IDisposable
{
    private const string Id = "20260102T030405Z-abc234";

    private readonly SleepingRuntime _runtime = new();
    private readonly TestShare _share;
    private readonly PlanStore _store;

    public PlanStoreTests()
    {
        _share = new TestShare(_runtime);
        _store = new PlanStore(_share.Share);
    }

    public void Dispose() => _share.Dispose();

    [Fact]
    public void Plans_are_listed_oldest_first_and_a_damaged_one_is_told()
    {
        _share.Request("20260202T030405Z-bbbbbb");
        _share.Request(Id);
        _share.Request("20260303T030405Z-cccccc");
        _share.Damage(new PlanFolder(_share.Share, "20260303T030405Z-cccccc").Root.Combine("request"), 75, "#"u8);
        _share.Share.MakeFolder(PlanFolder.Plans.Combine("202601").Combine("20260103T030405Z-nothng"));
        _share.Share.MakeFolder(PlanFolder.Plans.Combine("202601").Combine("notes"));
        var warnings = new List<string>();
        Assert.Equal([Id, "20260202T030405Z-bbbbbb"], _store.Ids(warnings.Add));
        Assert.Contains("cccccc", Assert.Single(warnings), StringComparison.Ordinal);
        Assert.Equal([Id, "20260202T030405Z-bbbbbb"], _store.GetAll().Select(plan => plan.Id));
    }

    [Theory]
    [InlineData("../../etc", ErrorIds.PlanIdInvalid)]
    [InlineData("", ErrorIds.PlanIdInvalid)]
    [InlineData("20260102T030405Z-zzzzzz", ErrorIds.PlanNotFound)]
    public void An_id_that_is_none_or_of_no_plan_is_an_error(string id, string errorId)
        => Assert.Equal(errorId, Assert.Throws<BackupException>(() => _store.Open(id)).ErrorId);

    [Fact]
    public void A_plan_says_what_was_asked_for_and_what_was_found()
    {
        _share.Plan();
        BackupPlan plan = _store.Describe(_store.Open(Id));
        Assert.Equal((PlanStatus.Planned, 20L, 2000L, "/dev1", $"/dev1/{Id}/data/src"), (plan.Status, plan.Entries, plan.Bytes, plan.Destination, plan.DataPath));
        Assert.Equal([("L1", "nasA", 0.5, 10L), ("L2", "nasB", 0.5, 10L)], plan.Lists.Select(list => (list.Assignment, list.Node, list.Ratio, list.Entries)));
        Assert.Equal(["/src/x: denied", "and 2 more"], plan.Unreadable);
        Assert.Equal(2, plan.Skipped["Socket"]);
        Assert.Equal(["*.tmp"], plan.Exclude);
        Assert.Equal(TimeSpan.FromSeconds(5), plan.FailureTimeout);
        Assert.Empty(plan.SourceOwner);
    }

    [Fact]
    public void Several_sources_have_several_places_on_the_device()
    {
        var folder = new PlanFolder(_share.Share, Id);
        _share.Share.MakeFolder(folder.Root);
        _share.Share.Publish(folder.Root, "request", TestShare.RequestOf(Id, ["a"], "/s/one", "/s/two"), CoordinationJson.Default.RequestDocument);
        Assert.Equal(new[] { $"/dev1/{Id}/data/s/one", $"/dev1/{Id}/data/s/two" }, _store.Describe(folder).DataPath);
    }

    [Fact]
    public void The_status_follows_what_happens_to_the_plan()
    {
        Assert.Equal(PlanStatus.Requested, Describe(_share.Request()).Status);
        PlanFolder folder = _share.Plan();
        Assert.Equal(PlanStatus.Planned, Describe(folder).Status);
        _share.Record(folder, TestShare.RecordOf("planner", "0", 1) with { TakesWork = false });
        Assert.Equal(PlanStatus.Planned, Describe(folder).Status);
        _share.Record(folder, TestShare.RecordOf("nasA", "1", 1));
        Assert.Equal(PlanStatus.Running, Describe(folder).Status);
        _share.Record(folder, TestShare.RecordOf("nasA", "1", 2, NodeState.Left) with { Problem = "the device is full" });
        Assert.Equal((PlanStatus.Stopped, "the device is full"), (Describe(folder).Status, Describe(folder).Problem));
        _share.Publish(folder.Control, "client", "c", SlotKind.Stop, slot => slot with { Reason = "asked to" });
        Assert.Equal((PlanStatus.Stopped, "asked to"), (Describe(folder).Status, Describe(folder).Problem));
        Complete(folder, BackupStatus.CompletedWithErrors);
        Assert.Equal((PlanStatus.CompletedWithErrors, (string?)null), (Describe(folder).Status, Describe(folder).Problem));
    }

    [Fact]
    public void A_plan_that_could_not_be_made_says_why()
    {
        PlanFolder folder = _share.Request();
        _share.Publish(folder.Planning, "nasA", "1", SlotKind.Failed, slot => slot with { Error = new ErrorDocument(ErrorIds.SourceNotFound, ErrorKind.NotFound, "no /src") });
        Assert.Equal((PlanStatus.Failed, "no /src"), (Describe(folder).Status, Describe(folder).Problem));
    }

    [Fact]
    public void A_plan_whose_records_move_is_removed_only_by_force()
    {
        PlanFolder folder = _share.Plan();
        long beat = 0;
        void Beat() => _share.Record(folder, TestShare.RecordOf("nasA", "1", ++beat));
        Beat();
        _runtime.AfterSleep = Beat;
        BackupException error = Assert.Throws<BackupException>(() => _store.Remove(folder, force: false));
        Assert.Equal(ErrorIds.PlanInUse, error.ErrorId);
        Assert.Contains("nasA", error.Message, StringComparison.Ordinal);
        Assert.NotNull(folder.ReadRequest());
        _runtime.AfterSleep = null;
        _store.Remove(folder, force: true);
        AssertRemoved(folder);
    }

    [Fact]
    public void A_plan_whose_nodes_died_is_removed_with_all_that_belongs_to_it()
    {
        PlanFolder other = _share.Plan("20260102T030405Z-zzzzzz");
        PlanFolder folder = _share.Plan();
        _share.Record(folder, TestShare.RecordOf("nasA", "1", 5));
        _store.Remove(folder, force: false);
        AssertRemoved(folder);
        Assert.NotNull(other.ReadRequest());
    }

    [Fact]
    public void What_a_removal_left_behind_is_gone_after_the_next()
    {
        PlanFolder folder = _share.Plan();
        _share.Share.MakeFolder(folder.Root.Parent.Combine(".removed.20260101T030405Z-dddddd.abc").Combine("records"));
        _store.Remove(folder, force: false);
        AssertRemoved(folder);
    }

    [Fact]
    public void Stopping_waits_until_all_nodes_have_left()
    {
        PlanFolder folder = _share.Plan();
        long beat = 0;
        void Beat() => _share.Record(folder, TestShare.RecordOf("nasA", "1", ++beat, beat > 40 ? NodeState.Left : NodeState.Working));
        Beat();
        _runtime.AfterSleep = Beat;
        Assert.True(_store.Stop(folder, TimeSpan.FromMinutes(1)));
        Assert.True(beat > 40, $"It waited for {beat} beats only.");
        Assert.Equal(PlanStatus.Stopped, Describe(folder).Status);
        Assert.Single(folder.Control.Slots);
        Assert.True(_store.Stop(_store.Open(Id), TimeSpan.Zero));
        Assert.Single(folder.Control.Slots);
    }

    [Fact]
    public void Stopping_does_not_wait_for_the_dead_nor_for_ever()
    {
        PlanFolder folder = _share.Plan();
        _share.Record(folder, TestShare.RecordOf("nasA", "1", 5));
        Assert.True(_store.Stop(folder, TimeSpan.FromHours(1)));
        long beat = 5;
        _runtime.AfterSleep = () => _share.Record(folder, TestShare.RecordOf("nasA", "1", ++beat));
        Assert.False(_store.Stop(folder, TimeSpan.FromSeconds(10)));
    }

    [Fact]
    public void A_stop_that_was_taken_back_is_published_again()
    {
        PlanFolder folder = _share.Plan();
        _store.Stop(folder, TimeSpan.Zero);
        _share.Publish(folder.Control, "nasA", "1", SlotKind.Resume);
        Assert.NotEqual(PlanStatus.Stopped, Describe(folder).Status);
        _store.Stop(_store.Open(Id), TimeSpan.Zero);
        Assert.Equal(PlanStatus.Stopped, Describe(folder).Status);
    }

    [Fact]
    public void A_complete_plan_cannot_be_stopped()
    {
        PlanFolder folder = _share.Plan();
        Complete(folder, BackupStatus.Completed);
        Assert.Equal(ErrorIds.PlanCompleted, Assert.Throws<BackupException>(() => _store.Stop(folder, TimeSpan.Zero)).ErrorId);
        Assert.Empty(folder.Control.Slots);
    }

    private BackupPlan Describe(PlanFolder folder) => _store.Describe(folder.Another());

    private void Complete(PlanFolder folder, BackupStatus status) => _share.Publish(folder.Completion, "nasA", "1", SlotKind.Completed, slot => slot with { Completion = Sample.CompletionOf(status) });

    private void AssertRemoved(PlanFolder folder)
    {
        Assert.Equal(ErrorIds.PlanNotFound, Assert.Throws<BackupException>(() => _store.Open(folder.PlanId)).ErrorId);
        Assert.All(
            _share.Tree.ReadDirectory(folder.Root.Parent),
            item => Assert.DoesNotContain("removed", FilePath.Display(item.Name), StringComparison.Ordinal));
        Assert.False(Directory.Exists(_share.PathOf(folder.Root)));
    }
}
