using NasBackup.Coordination;
using NasBackup.Files;
using NasBackup.Tests.Files;

namespace NasBackup.Tests.Coordination;

/// <summary>A share in a folder of its own, for one test, and plans made by hand on it.</summary>
internal sealed class TestShare : IDisposable
{
    private readonly TempFolder _temp = new();

    public TestShare(INodeRuntime? runtime = null)
    {
        Share = new Share(FileTree.Open(_temp.Path), runtime ?? SystemRuntime.Instance, Tokens.System);
    }

    public Share Share { get; }

    public IFileTree Tree => Share.Tree;

    public string Path => _temp.Path;

    /// <summary>The same folder as another process sees it.</summary>
    public Share OpenAgain() => new(FileTree.Open(_temp.Path), SystemRuntime.Instance, Tokens.System);

    public string PathOf(FilePath path) => $"{_temp.Path}/{path}";

    /// <summary>Changes bytes of a file behind everyone's back.</summary>
    public void Damage(FilePath path, long offset, ReadOnlySpan<byte> bytes)
    {
        using FileStream file = File.OpenWrite(PathOf(path));
        file.Position = offset;
        file.Write(bytes);
    }

    public void Truncate(FilePath path, long length)
    {
        using FileStream file = File.OpenWrite(PathOf(path));
        file.SetLength(length);
    }

    public PlanFolder Request(string id = "20260102T030405Z-abc234", params string[] nodes)
    {
        var folder = new PlanFolder(Share, id);
        Share.MakeFolder(folder.Root);
        Share.Publish(folder.Root, "request", RequestOf(id, nodes), CoordinationJson.Default.RequestDocument);
        return folder;
    }

    public static RequestDocument RequestOf(string id, string[] nodes, params string[] sources) => new()
    {
        Id = id,
        Token = "token",
        CreatedAt = new DateTime(2026, 1, 2, 3, 4, 5, DateTimeKind.Utc),
        Sources = [.. (sources.Length == 0 ? ["/src"] : sources).Select(path => new SourceDocument(path, Owner: null))],
        Device = "/dev1",
        Nodes = nodes.Length == 0 ? ["nasA", "nasB"] : nodes,
        Strategy = PlanStrategy.Balanced,
        Layout = DeviceLayout.Mirror,
        Type = BackupType.Full,
        Include = [],
        Exclude = ["*.tmp"],
        OneFileSystem = false,
        ExcludeCaches = false,
        FailureTimeoutSeconds = 5,
        FailoverTimeoutSeconds = 60,
        Snapshot = SnapshotMode.None,
        Durability = Durability.Strict,
    };

    /// <summary>Publishes lists of 10 entries and 1000 bytes each: L1 of the first node, L2 of the second, …</summary>
    public PlanFolder Plan(string id = "20260102T030405Z-abc234", params string[] nodes)
    {
        string[] all = nodes.Length == 0 ? ["nasA", "nasB"] : nodes;
        PlanFolder folder = Request(id, all);
        var plan = new PlanDocument
        {
            Entries = 10 * all.Length,
            Bytes = 1000 * all.Length,
            Lists = [.. all.Select((node, i) => new PlanListDocument(
                new AssignmentDocument($"L{i + 1}", node, Owner: null, "list", 10, 1000), 1.0 / all.Length, Node.DefaultSpeed, 0.001))],
            Identities = [],
            Skipped = new Dictionary<string, long>(StringComparer.Ordinal) { ["Socket"] = 2 },
            Unreadable = [new UnreadableDocument("/src/x", "denied")],
            UnreadableCount = 3,
        };
        Publish(folder.Planning, "planner", "p", SlotKind.Planned, slot => slot with { Plan = plan });
        return folder;
    }

    public SlotDocument Publish(SlotChain chain, string node, string incarnation, SlotKind kind, Func<SlotDocument, SlotDocument>? with = null)
    {
        SlotDocument slot = new Identity(node, incarnation).Slot(Share, kind);
        chain.Refresh();
        SlotDocument mine = with is null ? slot : with(slot);
        SlotDocument published = chain.PublishNext(mine, out _);
        Assert.Equal(mine.Token, published.Token);
        return published;
    }

    public void Record(PlanFolder folder, RecordDocument record)
    {
        Share.MakeFolder(folder.Records);
        using var file = new RecordFile(Tree, folder.Record(record.Node, record.Incarnation));
        file.Write(record);
    }

    public static RecordDocument RecordOf(string node, string incarnation, long beat, NodeState state = NodeState.Working) => new()
    {
        Plan = "20260102T030405Z-abc234",
        Node = node,
        Incarnation = incarnation,
        Host = "host",
        ProcessId = 1,
        TakesWork = true,
        State = state,
        Beat = beat,
        Pulse = beat,
        Sequence = beat,
        Counters = [],
        EntriesDone = 0,
        BytesDone = 0,
        BytesCopied = 0,
        BytesMoved = 0,
        WorkSeconds = 0,
        Rate = 0,
        NewsCount = 0,
        News = [],
    };

    public void Dispose()
    {
        Share.Dispose();
        _temp.Dispose();
    }
}

/// <summary>Time that passes only when somebody sleeps, with an action after each sleep.</summary>
internal sealed class SleepingRuntime : INodeRuntime
{
    private readonly Microsoft.Extensions.Time.Testing.FakeTimeProvider _time = new(new DateTimeOffset(2026, 1, 2, 3, 4, 5, TimeSpan.Zero));

    public TimeProvider Time => _time;

    public Action? AfterSleep { get; set; }

    public void Advance(TimeSpan duration) => _time.Advance(duration);

    public void Sleep(TimeSpan duration, CancellationToken cancellation)
    {
        _time.Advance(duration);
        AfterSleep?.Invoke();
    }

    public INodeThread Start(string name, Action body) => SystemRuntime.Instance.Start(name, body);

    public int Processors => SystemRuntime.Instance.Processors;

    public INodeGate NewGate() => SystemRuntime.Instance.NewGate();
}
