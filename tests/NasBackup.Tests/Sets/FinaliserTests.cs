using NasBackup.Coordination;
using NasBackup.Files;
using NasBackup.Formats;
using NasBackup.Sets;
using NasBackup.Tests.Files;
using NasBackup.Transfer;
using Xunit;

namespace NasBackup.Tests.Sets;

public sealed class FinaliserTests : IDisposable
{
    private readonly TempFolder _temp = new();
    private readonly FinishedPlan _plan;

    public FinaliserTests() => _plan = new FinishedPlan(_temp.Path);

    public void Dispose()
    {
        _plan.Dispose();
        _temp.Dispose();
    }

    [Fact]
    public void What_was_committed_stands_at_its_final_name_whoever_copied_it()
    {
        _plan.Finalise();
        foreach (string path in (string[])["a/one", "a/two", "a/linked", "z/three", "c/closed/file"])
        {
            Assert.Equal("contents", _plan.Read(path));
        }

        Assert.Equal("now it is longer", _plan.Read("a/changed"));
        Assert.Equal("contents", _plan.Read(FinishedPlan.Data.Combine(FinishedPlan.Odd)));
        Assert.Equal("contents", _plan.Read(FilePath.FromText("data/etc/single file")));
        Assert.Equal("../a"u8, _plan.Set.ReadLink(FinishedPlan.Data.Combine("c/link")));
    }

    [Fact]
    public void All_names_of_a_file_are_links_of_the_copy_that_counts_even_where_a_dead_node_had_linked_its_half()
    {
        _plan.Finalise();
        ulong[] inodes = [.. ((string[])["a/linked", "a/linked2", "c/closed/linked4", "z/linked3"]).Select(name => _plan.Set.GetStatus(FinishedPlan.Data.Combine(name)).Inode)];
        Assert.Single(inodes.Distinct());
        Assert.Equal(4u, _plan.Set.GetStatus(FinishedPlan.Data.Combine("a/linked")).Links);
        Assert.Equal("contents", _plan.Read("a/linked2"));
    }

    [Fact]
    public void Folders_have_the_modes_and_times_of_the_source_and_those_above_it_are_left_alone()
    {
        FileMetadata above = _plan.Set.GetStatus(FilePath.FromText("data/srv")).Metadata;
        _plan.Finalise();
        foreach ((string path, int mode) in new[] { ("", 0x1ED), ("a", 0x1C0), ("c", 0x16D), ("c/closed", 0) })
        {
            FileMetadata metadata = _plan.Set.GetStatus(FinishedPlan.Data.Combine(path)).Metadata;
            Assert.Equal((mode, 1_600_000_000_123_456_789), (metadata.Mode, metadata.ModifiedTime));
        }

        Assert.Equal(above, _plan.Set.GetStatus(FilePath.FromText("data/srv")).Metadata);
    }

    [Fact]
    public void What_failed_twice_is_named_and_leaves_no_half_file_in_the_set()
    {
        CompletionDocument completion = _plan.Finalise();
        Assert.Equal(BackupStatus.CompletedWithErrors, completion.Status);
        Assert.Equal(1, completion.FailedEntries);
        Assert.Equal(new FailureDocument("/srv/photos/a/bad", ErrorIds.FileUnreadable, "the second try", "n2"), Assert.Single(completion.Failures));
        Assert.False(_plan.Exists("a/bad"));
        Assert.False(_plan.Exists("a/bad2"));
        ManifestEntry failed = Assert.Single(_plan.ReadManifest(), entry => entry.IsFailed);
        Assert.Equal(("a/bad", ErrorIds.FileUnreadable, "the second try", "n2"), (failed.Entry.Path.ToString(), failed.ErrorId, failed.Problem, failed.Node));
    }

    [Fact]
    public void The_completion_says_who_did_what_and_who_took_over()
    {
        CompletionDocument completion = _plan.Finalise();
        Assert.Equal(13, completion.Entries);
        Assert.Equal(completion.Entries, completion.Nodes.Sum(node => node.Entries));
        Assert.Equal(completion.Bytes, completion.Nodes.Sum(node => node.Bytes));
        Assert.Equal(
            [
                new NodeSummaryDocument("n1", 4, 24, 0, Failed: true),
                new NodeSummaryDocument("n2", 7, 32, 0, Failed: false),
                new NodeSummaryDocument("n3", 2, 16, 5e7, Failed: false),
                new NodeSummaryDocument("n4", 0, 0, 0, Failed: false),
            ],
            completion.Nodes);
        Assert.Equal(["n1"], completion.FailedNodes);
        TakeoverDocument takeover = Assert.Single(completion.Takeovers);
        Assert.Equal(("L1", "n1", "NoProgress", "n2", 4, 8), (takeover.Assignment, takeover.FailedNode, takeover.Reason, takeover.ClosedBy, takeover.CommittedEntries, takeover.RemainingEntries));
        Assert.Equal(["n2"], takeover.Successors);
    }

    [Fact]
    public void Set_json_counts_what_is_not_quite_as_it_was()
    {
        _plan.Finalise();
        SetDocument set = _plan.ReadSet()!;
        Assert.Equal((1, 1, 1), (set.Warnings!["ownerNotKept"], set.Warnings["timesNotKept"], set.Warnings["changedWhileRead"]));
        Assert.Equal(3, set.Skipped["Socket"]);
        Assert.Equal([new SetSourceDocument("/srv/photos", "data/srv/photos", false), new SetSourceDocument("/etc/single file", "data/etc/single file", true)], set.Sources);
        Assert.Equal("n2", set.CompletedBy);
    }

    [Fact]
    public void What_the_scan_could_not_read_counts_as_failed()
    {
        _plan.Plan = _plan.Plan with { Unreadable = [new UnreadableDocument("/srv/photos/secret", "denied")], UnreadableCount = 5 };
        CompletionDocument completion = _plan.Finalise();
        Assert.Equal(6, completion.FailedEntries);
        Assert.Equal(["/srv/photos/a/bad", "/srv/photos/secret"], completion.Failures.Select(failure => failure.Path));
        Assert.Equal(ErrorIds.SourceUnreadable, completion.Failures[1].ErrorId);
        Assert.Equal(5, _plan.ReadSet()!.Unreadable);
    }

    [Fact]
    public void Only_data_manifest_and_set_json_stay()
    {
        _plan.Finalise();
        Assert.Equal(["data", _plan.ReadSet()!.Manifest.File, "set.json"], _plan.NamesInSet());
    }

    [Fact]
    public void What_a_node_that_was_held_for_dead_journals_afterwards_does_not_exist()
    {
        _plan.JournalOfL1.Append([new JournalEntry { Ordinal = 4, Size = 4, Hash = Hash128.Of("half"u8) }]);
        Assert.Equal(13, _plan.Finalise().Entries);
        Assert.Equal("contents", _plan.Read("a/two"));
    }

    [Fact]
    public void A_committed_copy_that_is_in_neither_place_is_an_error_that_names_it_and_the_set_is_not_complete()
    {
        _plan.Set.Delete(SetPaths.Take("T1", 0));
        BackupException error = Assert.Throws<BackupException>(() => _plan.Finalise());
        Assert.Equal(ErrorIds.RecordDamaged, error.ErrorId);
        Assert.Contains("data/srv/photos/a/two", error.Message, StringComparison.Ordinal);
        Assert.Null(_plan.ReadSet());
        Assert.DoesNotContain(_plan.NamesInSet(), name => name.Contains("manifest", StringComparison.Ordinal));
    }

    [Fact]
    public void A_set_in_which_an_entry_is_neither_committed_nor_failed_is_not_called_complete()
    {
        PlanListDocument first = _plan.Plan.Lists[0];
        _plan.Plan = _plan.Plan with { Lists = [first with { Assignment = first.Assignment with { Entries = first.Assignment.Entries + 1 } }, _plan.Plan.Lists[1]] };
        Assert.Equal(ErrorIds.RecordDamaged, Assert.Throws<BackupException>(() => _plan.Finalise()).ErrorId);
        Assert.Null(_plan.ReadSet());
    }

    [Fact]
    public void Progress_rises_with_every_step()
    {
        var steps = new List<long>();
        _plan.Finalise(progress: steps.Add);
        Assert.Equal(Enumerable.Range(1, steps.Count).Select(step => (long)step), steps);
        Assert.True(steps.Count > 12 + 8 + 2);
    }
}
