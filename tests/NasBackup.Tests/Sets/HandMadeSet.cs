using NasBackup.Coordination;
using NasBackup.Files;
using NasBackup.Formats;
using NasBackup.Sets;

namespace NasBackup.Tests.Sets;

/// <summary>A complete set whose manifest is written line by line, as a stranger might.</summary>
internal static class HandMadeSet
{
    public const string Id = "20240501T000000Z-zzzzzz";

    /// <summary>Writes manifest and set.json of one source, '/src'; the data is the test's own.</summary>
    public static void Make(string device, params ManifestEntry[] entries)
    {
        Directory.CreateDirectory($"{device}/{Id}/data/src");
        using IFileTree tree = FileTree.Open($"{device}/{Id}");
        SetSourceDocument[] sources = [new("/src", "data/src", IsFile: false)];
        FilePath draft = FilePath.FromText(".manifest.draft");
        using (var writer = new ManifestWriter(tree, draft, Id, sources))
        {
            foreach (ManifestEntry entry in entries)
            {
                writer.Write(entry);
            }

            writer.Complete();
        }

        ManifestReference reference = ManifestFile.Refer(tree, draft, () => { });
        tree.Rename(draft, FilePath.FromText(reference.File));
        SetDocument document = TestSets.DocumentOf(Id, []) with { Sources = sources, Manifest = reference, Entries = entries.Length };
        File.WriteAllBytes($"{device}/{Id}/set.json", SealedJson.Seal(document, SetsJson.Default.SetDocument));
    }

    public static ManifestEntry Folder(string path) => Entry(path, EntryKind.Directory, 0, null);

    public static ManifestEntry Link(string path, string target) => Entry(path, EntryKind.SymbolicLink, 0, Hash128.Of(System.Text.Encoding.UTF8.GetBytes(target)));

    public static ManifestEntry File_(string path, string content, int source = 0)
        => Entry(path, EntryKind.File, content.Length, Hash128.Of(System.Text.Encoding.UTF8.GetBytes(content)), source);

    private static ManifestEntry Entry(string path, EntryKind kind, long size, Hash128? hash, int source = 0) => new()
    {
        Entry = new Entry
        {
            Source = source,
            Path = FilePath.Parse(path),
            Status = new FileStatus(kind, size, new FileMetadata(1_600_000_000_000_000_000, kind is EntryKind.Directory ? 0x1ED : 0x1A4, 0, 0), 0, 0, 0, 1, 0),
        },
        Node = "stranger",
        Hash = hash,
    };
}
