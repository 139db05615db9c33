using System.Collections.ObjectModel;
using System.Management.Automation;
using NasBackup.Files;

namespace NasBackup.Cmdlets.Parameters;

/// <summary>
/// Makes the paths that a user gives absolute, against the session's location and through the shell's file system
/// provider. Sources come out in the text form of <see cref="FilePath"/>, which keeps every byte of a name.
/// </summary>
internal sealed class PathResolver(SessionState session)
{
    private const string FileSystemProvider = "FileSystem";

    /// <summary>A folder that need not exist: a share, a device.</summary>
    /// <param name="path">As the user gave it.</param>
    /// <param name="errorId">What to report where the path cannot be one of the file system.</param>
    public string Folder(string path, string errorId)
    {
        try
        {
            string absolute = session.Path.GetUnresolvedProviderPathFromPSPath(path, out ProviderInfo provider, out _);
            return provider.Name == FileSystemProvider
                ? Path.TrimEndingDirectorySeparator(absolute)
                : throw NotAFile(path, errorId);
        }
        catch (Exception e) when (e is SessionStateException or ArgumentException or NotSupportedException)
        {
            throw NotAFile(path, errorId, e);
        }
    }

    /// <summary>
    /// The sources that a pattern stands for. A path without wildcards need not exist here: it may be on a node.
    /// Throws SourceNotFound where a pattern matches nothing.
    /// </summary>
    public IReadOnlyList<string> Expand(string pattern)
    {
        if (!WildcardPattern.ContainsWildcardCharacters(pattern))
        {
            return [AsText(Folder(WildcardPattern.Unescape(pattern), ErrorIds.SourceNotFound))];
        }

        Collection<string> matches;
        try
        {
            matches = session.Path.GetResolvedProviderPathFromPSPath(pattern, out ProviderInfo provider);
            if (provider.Name != FileSystemProvider)
            {
                throw NotAFile(pattern, ErrorIds.SourceNotFound);
            }
        }
        catch (Exception e) when (e is SessionStateException or ArgumentException or NotSupportedException or IOException)
        {
            throw NotAFile(pattern, ErrorIds.SourceNotFound, e);
        }

        return matches.Count > 0
            ? [.. matches.Select(AsText)]
            : throw new BackupException(ErrorIds.SourceNotFound, ErrorKind.NotFound, $"Nothing matches '{pattern}'.", pattern);
    }

    /// <summary>
    /// A source as given, without wildcards, its \xHH bytes kept. On Linux the shell would take the backslash for a
    /// separator, so only its notation for files (FileSystem::/path) and home (~) are understood there, not its drives.
    /// </summary>
    public string Literal(string path)
    {
        if (OperatingSystem.IsWindows())
        {
            return Folder(path, ErrorIds.SourceNotFound);
        }

        int qualifier = path.IndexOf("::", StringComparison.Ordinal);
        if (qualifier >= 0 && path.AsSpan(0, qualifier).EndsWith(FileSystemProvider, StringComparison.OrdinalIgnoreCase))
        {
            path = path[(qualifier + 2)..];
        }

        if (path == "~" || path.StartsWith("~/", StringComparison.Ordinal))
        {
            path = Environment.GetFolderPath(Environment.SpecialFolder.UserProfile) + path[1..];
        }

        try
        {
            string here = session.Path.CurrentFileSystemLocation.ProviderPath;
            return Path.TrimEndingDirectorySeparator(Path.GetFullPath(path, here));
        }
        catch (ArgumentException e)
        {
            throw NotAFile(path, ErrorIds.SourceNotFound, e);
        }
    }

    private static string AsText(string path) => FilePath.FromText(Path.TrimEndingDirectorySeparator(path)).ToString();

    private static BackupException NotAFile(string path, string errorId, Exception? inner = null)
        => new(errorId, ErrorKind.NotFound, $"'{path}' is not a path of the file system.{(inner is null ? "" : " " + inner.Message)}", path, inner);
}
