using System.Globalization;
using NasBackup.Coordination;
using NasBackup.Files;

namespace NasBackup.Transfer;

/// <summary>Where things lie inside a set's folder on the device.</summary>
internal static class SetPaths
{
    private const int TakesPerFolder = 4096;

    /// <summary>The tree of copies.</summary>
    public static readonly FilePath DataRoot = FilePath.FromText("data");

    /// <summary>Copies of later owners, until finalising moves them into place.</summary>
    public static readonly FilePath TakeRoot = FilePath.FromText(".take");

    /// <summary>Says whose set this is; by its token a node proves that it sees the same device.</summary>
    public static readonly FilePath Token = FilePath.FromText("request.json");

    /// <summary>The chain of slots that decides whether the set is kept, used, or removed.</summary>
    public static readonly FilePath Slots = FilePath.FromText("slots");

    /// <summary>An empty file that holds room for the manifest and <c>set.json</c> until they are written.</summary>
    public static readonly FilePath Reserve = FilePath.FromText(".reserve");

    /// <summary>Where a source lies below <c>data</c>: under its absolute path, as the plan names it.</summary>
    public static FilePath DataOf(string source)
        => DataRoot.Combine(FilePath.Parse(
            (OperatingSystem.IsWindows() ? source.Replace(":\\", "/", StringComparison.Ordinal).Replace('\\', '/') : source).Trim('/')));

    /// <summary>What an entry's path is appended to: the source's place, or that of its folder where the source is one file.</summary>
    public static FilePath DataBase(SourceDocument source, SourceIdentityDocument identity)
        => identity.IsFile ? DataOf(source.Path).Parent : DataOf(source.Path);

    /// <summary>Where segments of a split file are put together: into one file by all who may share it, else into one of the
    /// assignment's own.</summary>
    /// <param name="assignment">The assignment, or null for the file that is shared.</param>
    /// <param name="file">The file's number among those that are split.</param>
    public static FilePath Segments(string? assignment, int file)
        => (assignment is null ? TakeRoot : TakeRoot.Combine(assignment))
            .Combine("segments")
            .Combine((file / TakesPerFolder).ToString(CultureInfo.InvariantCulture))
            .Combine(file.ToString(CultureInfo.InvariantCulture));

    /// <summary>The folder for some of the copies that later owners of an assignment make.</summary>
    public static FilePath TakeFolder(string assignment, long ordinal)
        => TakeRoot.Combine(assignment).Combine((ordinal / TakesPerFolder).ToString(CultureInfo.InvariantCulture));

    /// <summary>Where a later owner of an assignment puts an entry.</summary>
    public static FilePath Take(string assignment, long ordinal)
        => TakeFolder(assignment, ordinal).Combine(ordinal.ToString(CultureInfo.InvariantCulture));
}
