using NasBackup.Coordination;
using NasBackup.Files;
using NasBackup.Formats;
using NasBackup.Sets;
using NasBackup.Tests.Files;
using Xunit;

namespace NasBackup.Tests.Sets;

/// <summary>Finalisers that come twice, at once, late, or die on the way (promises 3 and 4).</summary>
public sealed class FinaliserRaceTests : IDisposable
{
    private readonly TempFolder _temp = new();

    public void Dispose() => _temp.Dispose();

    [Fact]
    public void Doing_it_twice_says_the_same_and_changes_nothing()
    {
        using var plan = new FinishedPlan(_temp.Path, withSegments: true);
        CompletionDocument first = plan.Finalise("n2");
        IReadOnlyList<string> before = plan.Snapshot();
        AssertSame(first, plan.Finalise("n3"));
        Assert.Equal(before, plan.Snapshot());
        Assert.Equal("n2", plan.ReadSet()!.CompletedBy);
    }

    [Fact]
    public void Several_at_once_make_one_set_and_all_say_what_it_says()
    {
        for (int round = 0; round < 15; round++)
        {
            using var plan = new FinishedPlan(NewRound(round), withSegments: true);
            var completions = new CompletionDocument[4];
            using var start = new Barrier(completions.Length);
            INodeThread[] threads = [.. Enumerable.Range(0, completions.Length).Select(i => SystemRuntime.Instance.Start($"n{i}", () =>
            {
                start.SignalAndWait(TestContext.Current.CancellationToken);
                completions[i] = plan.Finalise($"n{i}");
            }))];
            foreach (INodeThread thread in threads)
            {
                thread.Join();
            }

            Assert.All(completions, completion => AssertSame(plan.ReadSet()!, completion));
            AssertComplete(plan);
        }
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void One_that_wakes_up_after_completion_changes_nothing_before_whichever_change_it_slept(bool asNobody)
    {
        int sleep = 0;
        bool slept = true;
        void Round()
        {
            using var plan = new FinishedPlan(NewRound(sleep), withSegments: true);
            IReadOnlyList<string> before = [];
            CompletionDocument? first = null;
            Exception? failure = null;
            int changes = 0;
            CompletionDocument late = plan.Finalise("late", set: new HookedTree(plan.Set, (_, _) =>
            {
                if (++changes == sleep)
                {
                    failure = Record.Exception(() => first = plan.Finalise("n2"));
                    before = plan.Snapshot();
                }
            }));
            Assert.Null(failure);
            slept = first is not null;
            AssertSame(first ?? late, late);
            // Before its very last changes, it had published the set itself.
            if (plan.ReadSet()!.CompletedBy == "n2")
            {
                Assert.Equal(before, plan.Snapshot());
            }

            plan.Unlock();
            AssertComplete(plan);
        }

        while (slept)
        {
            sleep++;
            if (asNobody)
            {
                TempFolder.AsNobody(Round);
            }
            else
            {
                Round();
            }
        }

        Assert.InRange(sleep, 30, 1000);
    }

    [Fact]
    public void One_that_dies_is_replaced_before_whichever_change_it_died()
    {
        int death = 0;
        bool died = true;
        while (died)
        {
            death++;
            using var plan = new FinishedPlan(NewRound(death), withSegments: true);
            int changes = 0;
            var dying = new HookedTree(plan.Set, (_, _) =>
            {
                // Nothing that it does after its death happens.
                if (++changes >= death)
                {
                    throw new ArithmeticException("the node dies here");
                }
            });
            died = Record.Exception(() => plan.Finalise("n1", set: dying)) is ArithmeticException;
            Assert.Equal(15, plan.Finalise("n2").Entries);
            AssertComplete(plan);
        }

        Assert.InRange(death, 30, 1000);
    }

    [Fact]
    public void Where_the_file_system_does_not_sync_as_one_every_folder_that_changed_is_made_durable_before_set_json()
    {
        using var plan = new FinishedPlan(_temp.Path, withSegments: true);
        var open = new HashSet<FilePath>();
        plan.Finalise(set: new HookedTree(
            plan.Set,
            (change, path) =>
            {
                _ = change switch
                {
                    nameof(IFileTree.SyncDirectory) => open.Remove(path),
                    nameof(IFileTree.SetMetadata) => open.Add(path),
                    _ => path.IsAtOrBelow(FilePath.FromText("data")) && open.Add(path.Parent),
                };
                if (change == nameof(IFileTree.Link) && path == SetDocument.Path)
                {
                    Assert.Empty(open);
                }
            },
            syncsAsOne: false));
        Assert.Empty(open);
    }

    /// <summary>A folder for one round, which others may write to; it goes with the test's.</summary>
    private string NewRound(int round)
    {
        FilePath folder = _temp.Folder($"round{round}");
        _temp.Tree.SetMetadata(folder, _temp.Tree.GetStatus(folder).Metadata with { Mode = 0x1FF }, EntryKind.Directory);
        return $"{_temp.Path}/{folder}";
    }

    private static void AssertComplete(FinishedPlan plan)
    {
        Assert.Equal(["data", plan.ReadSet()!.Manifest.File, "set.json"], plan.NamesInSet());
        foreach (ManifestEntry entry in plan.ReadManifest().Where(entry => entry is { IsFailed: false, Entry: { Source: 0, Kind: EntryKind.File } }))
        {
            foreach (FilePath name in (IEnumerable<FilePath>)[entry.Entry.Path, .. entry.Entry.OtherNames ?? []])
            {
                byte[] content = System.Text.Encoding.UTF8.GetBytes(plan.Read(FinishedPlan.Data.Combine(name)));
                Assert.Equal(entry.Hash, entry.Segments is null ? Hash128.Of(content) : null);
                Assert.All(entry.Segments ?? [], segment => Assert.Equal(segment.Hash, Hash128.Of(content.AsSpan((int)segment.Offset, (int)segment.Length))));
            }
        }

        Assert.False(plan.Exists("a/bad"));
        Assert.Equal((3, 2), (Segments("z/put"), Segments("z/moved")));

        int? Segments(string path) => plan.ReadManifest().Single(entry => entry.Entry.Path.ToString() == path).Segments?.Count;
    }

    private static void AssertSame(CompletionDocument expected, CompletionDocument actual)
    {
        Assert.Equal((expected.Status, expected.Entries, expected.Bytes, expected.FailedEntries), (actual.Status, actual.Entries, actual.Bytes, actual.FailedEntries));
        Assert.Equal(expected.Nodes, actual.Nodes);
        Assert.Equal(expected.Failures, actual.Failures);
        Assert.Equal(expected.FailedNodes, actual.FailedNodes);
        Assert.Equal(expected.Takeovers.Select(takeover => takeover.ToString()), actual.Takeovers.Select(takeover => takeover.ToString()));
    }
}
