using System.Collections.Concurrent;
using NasBackup.Files;

namespace NasBackup.Transfer;

/// <summary>Makes names in a set, with the folders that they need, and tells of them, so that they become durable with the next
/// checkpoint. May be called from many threads.</summary>
internal sealed class NewNames(SetFolder set, ITransferControl control)
{
    private volatile KnownFolders? _folders;

    /// <summary>Creates something; its folder first, unless that was seen to be there.</summary>
    /// <param name="path">The name.</param>
    /// <param name="state">What <paramref name="create"/> needs: passed along, so that nothing is allocated for each name.</param>
    /// <param name="create">Creates it.</param>
    /// <exception cref="FileSystemException">The device does not do it.</exception>
    public T Create<TState, T>(FilePath path, TState state, Func<FilePath, TState, T> create)
    {
        // To make a folder that is there costs one call; to try in one that is not costs an exception.
        if (!Folders.Holds(path.ParentBytes))
        {
            MakeFolder(path.Parent);
        }

        T created = create(path, state);

        // After the name is there and before the entry counts: so the next checkpoint syncs a folder that holds it.
        if (!set.Tree.SyncsAsOne)
        {
            control.NoteFolder(path.Parent);
        }

        return created;
    }

    /// <summary>Makes a folder and those above it, where they are missing.</summary>
    /// <exception cref="FileSystemException">The device does not do it.</exception>
    public void MakeFolder(FilePath folder)
    {
        // No recursion: a path may have thousands of components.
        KnownFolders known = Folders;
        var missing = new Stack<FilePath>();
        for (FilePath at = folder; !known.Holds(at.Bytes); at = at.Parent)
        {
            missing.Push(at);
        }

        while (missing.TryPop(out FilePath next))
        {
            known.Device.CreateDirectory(next);
            control.NoteFolder(next.Parent);
            known.Add(next);
        }
    }

    private KnownFolders Folders
    {
        get
        {
            IFileTree device = set.Tree;
            return _folders is { } current && current.Device == device ? current : _folders = new KnownFolders(device);
        }
    }

    /// <summary>Folders that were seen to be there through one mount of the device; another mount may lead to less.</summary>
    private sealed class KnownFolders
    {
        private readonly ConcurrentDictionary<FilePath, bool> _paths = new(FilePathComparer.Instance);
        private readonly ConcurrentDictionary<FilePath, bool>.AlternateLookup<ReadOnlySpan<byte>> _lookup;

        public KnownFolders(IFileTree device)
        {
            Device = device;
            _lookup = _paths.GetAlternateLookup<ReadOnlySpan<byte>>();
        }

        public IFileTree Device { get; }

        public bool Holds(ReadOnlySpan<byte> folder) => folder.IsEmpty || _lookup.ContainsKey(folder);

        public void Add(FilePath folder) => _paths.TryAdd(folder, true);
    }
}
