using NasBackup.Files;

namespace NasBackup.Sets;

/// <summary>
/// A pattern for items of a set, in the notation of <see cref="Glob"/>: without '/' it is compared with names, with one it is
/// compared with the path below the source and with the absolute path as the plan names it.
/// </summary>
internal sealed class ItemPattern(Glob glob)
{
    /// <summary>Reads a pattern.</summary>
    /// <exception cref="BackupException">PatternInvalid.</exception>
    public static ItemPattern Parse(string pattern)
    {
        try
        {
            return new ItemPattern(Glob.Parse(pattern));
        }
        catch (FormatException e)
        {
            throw new BackupException(ErrorIds.PatternInvalid, ErrorKind.InvalidArgument, $"The pattern '{pattern}' cannot be read: {e.Message}", pattern, e);
        }
    }

    /// <summary>Whether it matches.</summary>
    /// <param name="source">The source's absolute path, without its first '/'; of a single file, that of its folder.</param>
    /// <param name="path">The path below it.</param>
    /// <param name="isFolder">Whether that is a folder.</param>
    public bool IsMatch(FilePath source, FilePath path, bool isFolder)
        => (!path.IsRoot && glob.IsMatch(path, isFolder)) || glob.IsMatch(source.Combine(path), isFolder);
}

/// <summary>The sources of a set as patterns and items name them.</summary>
internal sealed class SourceNames(SetDocument document)
{
    private readonly FilePath[] _absolute = [.. document.Sources.Select(static source =>
    {
        FilePath path = FilePath.Parse(source.Path.Trim('/'));
        return source.IsFile ? path.Parent : path;
    })];

    /// <summary>A source's absolute path, without its first '/'; of a single file, that of its folder.</summary>
    public FilePath Of(int source) => source >= 0 && source < _absolute.Length ? _absolute[source] : FilePath.Root;

    /// <summary>The places that an absolute path may stand for: a source, and the path below it.</summary>
    public IEnumerable<(int Source, FilePath Path)> Find(string path)
    {
        FilePath absolute = FilePath.Parse(path.Trim('/'));
        for (int source = 0; source < _absolute.Length; source++)
        {
            if (absolute.IsAtOrBelow(_absolute[source]))
            {
                int skip = _absolute[source].IsRoot ? 0 : Math.Min(absolute.Bytes.Length, _absolute[source].Bytes.Length + 1);
                yield return (source, new FilePath(absolute.Bytes[skip..].ToArray()));
            }
        }
    }
}
