using NasBackup.Files;
using NasBackup.Jobs;
using NasBackup.Tests.Files;

namespace NasBackup.Tests.Fuzz;

/// <summary>Every kind of file that the product reads, as the product itself wrote it in a real backup of a small odd source.</summary>
internal sealed class Corpus
{
    private Corpus(string planId, Dictionary<string, byte[]> share, Dictionary<string, byte[]> set)
    {
        PlanId = planId;
        Share = share;
        Set = set;
    }

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
        return new Corpus(plan.Id, ReadAll(share, _ => true), ReadAll($"{temp.Path}/device/{plan.Id}", path => !path.StartsWith("data/", StringComparison.Ordinal)));
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
