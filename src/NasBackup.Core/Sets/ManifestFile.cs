using System.IO.Hashing;
using NasBackup.Files;
using NasBackup.Formats;

namespace NasBackup.Sets;

/// <summary>The names of manifests, and what their bytes hash to as they lie on the device.</summary>
internal static class ManifestFile
{
    private const string Start = "manifest.";
    private const string DraftStart = "." + Start;
    private const string End = ".jsonl.zst";

    /// <summary>A manifest is called after its content, so that set.json can name none but the right one.</summary>
    public static string NameOf(Hash128 hash) => $"{Start}{hash}{End}";

    /// <summary>A name for one that is still being written.</summary>
    public static string NewDraft(string token) => $"{DraftStart}{token}";

    /// <summary>Where a manifest belongs, for its tags: it gets its name only when it is whole.</summary>
    public static string PlaceOf(string set) => $"sets/{set}/manifest";

    public static bool IsManifest(string name) => name.StartsWith(Start, StringComparison.Ordinal) && name.EndsWith(End, StringComparison.Ordinal);

    public static bool IsDraft(string name) => name.StartsWith(DraftStart, StringComparison.Ordinal);

    /// <summary>Hashes a file as it is stored; <c>xxh128sum</c> prints the same.</summary>
    /// <param name="tree">The set's folder.</param>
    /// <param name="path">The file.</param>
    /// <param name="progress">Called now and then.</param>
    /// <exception cref="FileSystemException">It cannot be read.</exception>
    public static ManifestReference Refer(IFileTree tree, FilePath path, Action progress)
    {
        using IFileHandle handle = tree.OpenRead(path);
        var hash = new XxHash128();
        long length = 0;
        var buffer = new byte[256 * 1024];
        while (handle.Read(buffer) is > 0 and int read)
        {
            hash.Append(buffer.AsSpan(0, read));
            length += read;
            progress();
        }

        Hash128 whole = Hash128.Of(hash);
        return new ManifestReference(NameOf(whole), whole.ToString(), length);
    }
}
