using System.Text;
using NasBackup.Files;
using NasBackup.Simulation.Storage;

namespace NasBackup.Simulation.Cluster;

/// <summary>Fills the source with something of each kind: folders, files of all sizes, links, hard links, FIFOs, names that
/// are not text.</summary>
internal static class SourceTree
{
    public static void Fill(Volume volume, Inode root, Scenario scenario, Random random)
    {
        List<FilePath> folders = [FilePath.Root];
        List<FilePath> files = [];
        double total = scenario.Speeds.Sum() * scenario.ExpectedDuration.TotalSeconds;
        double mean = total / scenario.Entries;
        for (int i = 1; i < scenario.Entries; i++)
        {
            FilePath path = folders[random.Next(folders.Count)].Combine(Name(i, random));
            int kind = random.Next(20);
            switch (kind)
            {
                case < 3:
                case > 15 when scenario.FolderTime > TimeSpan.Zero:
                    volume.Create(root, path, EntryKind.Directory, "fill");
                    folders.Add(path);
                    break;
                case 3:
                    volume.Create(root, path, EntryKind.SymbolicLink, "fill", target: Encoding.UTF8.GetBytes($"../target {i}"));
                    break;
                case 4:
                    volume.Create(root, path, EntryKind.Fifo, "fill");
                    break;
                case 5 or 6 when files.Count > 0:
                    volume.Link(root, files[random.Next(files.Count)], path);
                    break;
                default:
                    AddFile(volume, root, path, (int)Math.Min(400_000, -Math.Log(1 - random.NextDouble()) * mean), random);
                    files.Add(path);
                    break;
            }
        }

        if (scenario.LargeFile > 0)
        {
            AddFile(volume, root, FilePath.FromText("large"), scenario.LargeFile, random);
        }
    }

    private static byte[] Name(int number, Random random) => random.Next(12) switch
    {
        0 => [(byte)'n', 0xFF, 0xFE, .. Encoding.ASCII.GetBytes($"{number}")],
        1 => Encoding.UTF8.GetBytes($"line\nend {number}"),
        _ => Encoding.UTF8.GetBytes($"entry {number}"),
    };

    private static void AddFile(Volume volume, Inode root, FilePath path, int size, Random random)
    {
        Inode file = volume.Create(root, path, EntryKind.File, "fill");
        byte[] content = GC.AllocateUninitializedArray<byte>(size);
        random.NextBytes(content);
        volume.Fill(file, content);
        volume.SetMetadata(file, new FileMetadata(1_600_000_000_000_000_000 + random.Next(), 0x1A4, (uint)random.Next(3), 100));
        volume.Sync(file);
    }
}
