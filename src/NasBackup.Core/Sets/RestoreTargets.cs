using NasBackup.Files;

namespace NasBackup.Sets;

/// <summary>
/// Where the sources of a set are restored to: their old places, or below one folder. Each is a folder that has been opened
/// and a path below it; nothing outside of the folder can be reached, and no link in it is followed.
/// </summary>
internal sealed class RestoreTargets : IDisposable
{
    private readonly List<IFileTree> _trees = [];
    private readonly (IFileTree? Tree, FilePath Base, string Path)[] _places;

    private RestoreTargets((IFileTree? Tree, FilePath Base, string Path)[] places)
    {
        _places = places;
        _trees.AddRange(places.Select(place => place.Tree).OfType<IFileTree>().Distinct());
    }

    /// <summary>The folders that have been opened, each once.</summary>
    public IReadOnlyList<IFileTree> Trees => _trees;

    /// <summary>Where each source goes, for people.</summary>
    public IReadOnlyList<string> Paths => [.. _places.Select(place => place.Path)];

    /// <summary>Opens the targets.</summary>
    /// <param name="sources">The set's sources, from its set.json.</param>
    /// <param name="destination">The folder to restore to, or null for the old places. One source becomes that folder itself;
    /// several go below it under their absolute paths.</param>
    /// <param name="create">Whether missing folders are made; else what is missing is empty.</param>
    /// <param name="open">Opens a folder by its absolute path.</param>
    /// <param name="toOwnPath">From a path of the plan to this machine's.</param>
    /// <exception cref="BackupException">TargetUnsuitable; EntryPathUnsafe: a source's path is none.</exception>
    public static RestoreTargets Open(
        IReadOnlyList<SetSourceDocument> sources, string? destination, bool create, Func<string, IFileTree> open, Func<string, string> toOwnPath)
    {
        var places = new (IFileTree? Tree, FilePath Base, string Path)[sources.Count];
        IFileTree? below = null;
        try
        {
            for (int i = 0; i < sources.Count; i++)
            {
                SetSourceDocument source = sources[i];
                if (destination is null)
                {
                    string own = toOwnPath(source.Path);
                    string folder = source.IsFile ? System.IO.Path.GetDirectoryName(own) ?? "/" : own;
                    places[i] = (OpenFolder(folder, create, open), FilePath.Root, folder);
                    continue;
                }

                FilePath absolute = FilePath.Parse(source.Path.Trim('/'));
                FilePath path = sources.Count == 1 ? FilePath.Root : source.IsFile ? absolute.Parent : absolute;
                if (!path.IsRoot && !path.HasOnlyNames)
                {
                    throw new BackupException(
                        ErrorIds.EntryPathUnsafe, ErrorKind.InvalidData, $"The set names a source '{source.Path}', which would lead out of '{destination}'. Nothing was restored; do not trust this set.", source.Path);
                }

                below ??= OpenFolder(destination, create, open);
                if (create && below is not null)
                {
                    MakeFolders(below, path);
                }

                places[i] = (below, path, path.IsRoot ? destination : $"{destination}/{path}");
            }

            return new RestoreTargets(places);
        }
        catch
        {
            foreach ((IFileTree? tree, _, _) in places)
            {
                tree?.Dispose();
            }

            below?.Dispose();
            throw;
        }
    }

    /// <summary>The folder that a source's entries go to, or null where it does not exist and was not to be made.</summary>
    public IFileTree? Tree(int source) => _places[source].Tree;

    /// <summary>Where a path below a source goes in that folder.</summary>
    public FilePath PathOf(int source, FilePath path) => _places[source].Base.Combine(path);

    /// <summary>Whether something is there already.</summary>
    public bool Has(int source, FilePath path)
    {
        try
        {
            return Tree(source) is { } tree && tree.GetStatus(PathOf(source, path)).Kind is EntryKind.Directory;
        }
        catch (FileSystemException)
        {
            return false;
        }
    }

    /// <summary>The same for people.</summary>
    public string Display(int source, FilePath path) => path.IsRoot ? _places[source].Path : $"{_places[source].Path.TrimEnd('/')}/{path}";

    public void Dispose() => _trees.ForEach(tree => tree.Dispose());

    private static void MakeFolders(IFileTree tree, FilePath path)
    {
        if (path.IsRoot)
        {
            return;
        }

        try
        {
            tree.CreateDirectory(path);
        }
        catch (FileSystemException e) when (e.Problem is FileProblem.NotFound)
        {
            MakeFolders(tree, path.Parent);
            tree.CreateDirectory(path);
        }
        catch (FileSystemException e)
        {
            throw Unsuitable($"{tree.RootPath}/{path}", e);
        }
    }

    private static IFileTree? OpenFolder(string path, bool create, Func<string, IFileTree> open)
    {
        try
        {
            return open(path);
        }
        catch (FileSystemException e) when (e.Problem is FileProblem.NotFound)
        {
            if (!create)
            {
                return null;
            }

            string parent = System.IO.Path.GetDirectoryName(path) ?? throw Unsuitable(path, e);
            try
            {
                using IFileTree above = OpenFolder(parent, create, open)!;
                above.CreateDirectory(FilePath.Parse(System.IO.Path.GetFileName(path)));
                return open(path);
            }
            catch (FileSystemException inner)
            {
                throw Unsuitable(path, inner);
            }
        }
        catch (FileSystemException e)
        {
            throw Unsuitable(path, e);
        }
    }

    private static BackupException Unsuitable(string path, FileSystemException e)
        => new(ErrorIds.TargetUnsuitable, ErrorKind.InvalidArgument, $"'{path}' cannot be restored to: {e.Message}. Name another folder with -Destination.", path, e);
}
