using NasBackup.Coordination;
using NasBackup.Files;
using NasBackup.Formats;
using NasBackup.Jobs;
using NasBackup.Planning;
using NasBackup.Sets;
using NasBackup.Tests.Files;

namespace NasBackup.Tests.Fuzz;

/// <summary>Every kind of file that the product reads, as the product itself wrote it in a real backup of a small odd source.</summary>
internal sealed class Corpus
{
    /// <summary>How many entries the note of damage has.</summary>
    public const int NotedEntries = 40;

    /// <summary>A list that is signed.</summary>
    public const string SignedList = "signed/list.abc.jsonl.zst";

    /// <summary>A list that says what a base has, and what a manifest says, of its entries.</summary>
    public const string RichList = "rich/list.abc.jsonl.zst";

    /// <summary>How many entries each of the two has.</summary>
    public const int ListedEntries = 24;

    private Corpus(string planId, Dictionary<string, byte[]> share, Dictionary<string, byte[]> set, Dictionary<string, byte[]> others)
    {
        PlanId = planId;
        Share = share;
        Set = set;
        Others = others;
    }

    /// <summary>The key that signs what is signed.</summary>
    public static Sealer Sealer { get; } = new(ClusterKeys.Parse(ClusterKeys.NewLines(DateTime.UnixEpoch, out _)));

    /// <summary>Files that this backup did not need: a note of damage, a signed list, by path.</summary>
    public IReadOnlyDictionary<string, byte[]> Others { get; }

    public string PlanId { get; }

    /// <summary>The whole share, by path.</summary>
    public IReadOnlyDictionary<string, byte[]> Share { get; }

    /// <summary>The set's folder without the data, by path.</summary>
    public IReadOnlyDictionary<string, byte[]> Set { get; }

    public static Corpus Make()
    {
        using var temp = new TempFolder();
        MakeSource(temp);
        string share = temp.Path + "/share";
        using BackupCluster cluster = BackupCluster.Open(share, create: true);
        cluster.RegisterNode("nas1", 1_000_000, new Dictionary<string, string>(StringComparer.Ordinal) { ["/data"] = "/mnt/data" });
        cluster.RegisterNode("nas2", null, null);
        BackupPlan plan = cluster.CreatePlan(
            new BackupRequest
            {
                Path = [temp.Path + "/source"],
                Destination = temp.Path + "/device",
                Nodes = ["nas1", "nas2"],
                Exclude = ["*.tmp", "cache/**"],
                Durability = Durability.None,
                // The folder of a test is everybody's.
                AllowInsecureShare = true,
            },
            null,
            null,
            null,
            CancellationToken.None);

        // Found while planning and gone when it is read: so journals and set.json tell of failures too.
        File.Delete(temp.Path + "/source/gone");
        cluster.RunJob(plan.Id, new BackupJobOptions { AllowInsecureShare = true }, CancellationToken.None);
        return new Corpus(plan.Id, ReadAll(share, _ => true), ReadAll($"{temp.Path}/device/{plan.Id}", path => !path.StartsWith("data/", StringComparison.Ordinal)), MakeOthers(temp, plan.Id));
    }

    private static Dictionary<string, byte[]> MakeOthers(TempFolder temp, string planId)
    {
        temp.Folder("others/signed");
        temp.Folder("others/rich");
        using LinuxFileTree tree = LinuxFileTree.Open(temp.Path + "/others");
        DamageNote.Write(
            tree,
            planId,
            Enumerable.Range(0, NotedEntries).Select(i => new DamagedEntry(i % 2, FilePath.Parse($@"folder/\xFF{i}"), "Missing", "it is not there")),
            isWhole: false,
            new Identity("nas1", "abcdefgh"),
            SystemRuntime.Instance,
            Tokens.System);
        WriteList(tree, SignedList, planId, Sealer);
        WriteList(tree, RichList, planId, null);
        return ReadAll(temp.Path + "/others", _ => true);
    }

    private static void WriteList(IFileTree tree, string path, string planId, Sealer? sealer)
    {
        using var list = new EntryListWriter(tree, FilePath.FromText(path), planId, "L1", sealer);
        var attributes = new ExtendedAttributes([new ExtendedAttribute(FilePath.Parse(@"user.odd\xFF"), [1, 2, 3])]);
        for (int i = 0; i < ListedEntries; i++)
        {
            var status = new FileStatus(EntryKind.File, i * 100, new FileMetadata(1_600_000_000_000_000_000, 0x1A4, 0, 0), 1, (ulong)i, 1, 1, 0);
            var entry = new Entry { Source = 0, Path = FilePath.Parse($@"folder/\xFF{i}"), Status = status };
            var hash = Hash128.Of([(byte)i]);
            list.Write(new ListItem(entry, 1 + (i % 2), i % 2 == 0 ? null : "it could not be read")
            {
                Base = i % 3 == 0 ? new BaseCopy((BaseUse)(i % 9 / 3), hash, MetadataLoss.Owner, attributes) : null,
                Content = i % 3 == 1 ? new ListContent(hash, attributes, [1, 2], MetadataLoss.Times) : null,
            });
        }

        list.Complete();
    }

    private static void MakeSource(TempFolder temp)
    {
        temp.Folder("device");
        temp.Folder("source/folder/below");
        for (int i = 0; i < 8; i++)
        {
            temp.Write($"source/folder/file{i}", new string('x', i * 100));
        }

        temp.Write("source/gone");
        temp.Write(@"source/folder/\xFF\xFE odd \x5Cx41", "odd");
        temp.Write("source/folder/new\nline and 名");
        temp.Tree.Link(FilePath.Parse("source/folder/file7"), FilePath.Parse(@"source/second\xFE"));
        temp.Tree.CreateSymbolicLink(FilePath.Parse("source/link"), "folder/file1"u8);
        temp.Tree.CreateSpecial(FilePath.Parse("source/fifo"), EntryKind.Fifo, 0);
    }

    private static Dictionary<string, byte[]> ReadAll(string root, Func<string, bool> isWanted) => Directory
        .EnumerateFiles(root, "*", new EnumerationOptions { RecurseSubdirectories = true, AttributesToSkip = FileAttributes.None })
        .Select(file => Path.GetRelativePath(root, file))
        .Where(isWanted)
        .ToDictionary(path => path, path => File.ReadAllBytes(Path.Combine(root, path)), StringComparer.Ordinal);
}
