using System.Diagnostics.CodeAnalysis;

namespace NasBackup.Files;

/// <summary>
/// The directories of a tree that were used last, kept open. A file is then reached by one system call with its
/// directory's descriptor and its name, whatever the depth; no link on the way is followed, and no path is too long.
/// May be used by many threads at once.
/// </summary>
/// <remarks>Another process may move a directory that is kept open here, which nothing tells; so none is kept for
/// more than a few seconds.</remarks>
internal sealed class DirectoryCache : IDisposable
{
    /// <summary>The greatest place among those that are found without the lock; all bits of it are set.</summary>
    private const int MostRecent = 63;

    private readonly Lock _gate = new();
    private readonly Dictionary<FilePath, DirectoryDescriptor> _open = new(FilePathComparer.Instance);
    private readonly Dictionary<FilePath, DirectoryDescriptor>.AlternateLookup<ReadOnlySpan<byte>> _lookup;
    private readonly LinkedList<DirectoryDescriptor> _byUse = new();
    // Some of those that are open, by the hash of their paths: a file mostly lies where the one before it lay, and that is found
    // here without the lock. Changed under the lock alone, so that nothing stays here that was forgotten.
    private readonly DirectoryDescriptor?[] _recent = new DirectoryDescriptor?[MostRecent + 1];
    private readonly DirectoryDescriptor _root;
    private readonly int _capacity;

    // Counts what may have moved directories. A walk that began before such a change may end in a directory that no
    // longer has the path it was looked up by, and is then not kept.
    private long _moves;

    /// <summary>Takes over the root's descriptor.</summary>
    internal DirectoryCache(DirectoryDescriptor root, int capacity)
    {
        _root = root;
        _capacity = capacity;
        _lookup = _open.GetAlternateLookup<ReadOnlySpan<byte>>();
    }

    internal DirectoryDescriptor Root => _root;

    /// <summary>After what time a directory is looked up anew.</summary>
    internal TimeSpan LongestKept { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>How many directories are open at the moment, beside the root.</summary>
    internal int Count
    {
        get
        {
            lock (_gate)
            {
                return _open.Count;
            }
        }
    }

    /// <summary>As many directories as leave most of the process's descriptors to others: several trees may be open.</summary>
    internal static int DefaultCapacity() => (int)Math.Clamp(LinuxCalls.GetOpenFilesLimit() / 8, 8, 256);

    /// <summary>Lends a directory. The caller disposes of the lease when its call is done.</summary>
    /// <param name="path">The directory, below the root.</param>
    /// <param name="fresh">Whether what is cached is not to be relied on.</param>
    internal DirectoryLease Enter(ReadOnlySpan<byte> path, bool fresh = false)
    {
        if (path.IsEmpty)
        {
            return Lend(_root, isFresh: true);
        }

        int hash = FilePath.HashOf(path);
        if (!fresh && Volatile.Read(ref _recent[hash & MostRecent]) is { } recent
            && path.SequenceEqual(recent.Path.Bytes) && recent.OpenedAt >= OldestKept && recent.TryAddReference())
        {
            recent.WasUsed = true;
            return new DirectoryLease(recent, isFresh: false);
        }

        DirectoryDescriptor start = _root;
        long moves;
        lock (_gate)
        {
            moves = _moves;
            if (!fresh)
            {
                start = FindNearest(path);
                if (start.Path.Bytes.Length == path.Length)
                {
                    Volatile.Write(ref _recent[hash & MostRecent], start);
                    return Lend(start, isFresh: false);
                }
            }

            AddReference(start);
        }

        int descriptor;
        try
        {
            ReadOnlySpan<byte> rest = start == _root ? path : path[(start.Path.Bytes.Length + 1)..];
            descriptor = LinuxWalk.Open(start.Number, rest);
        }
        finally
        {
            start.DangerousRelease();
        }

        return descriptor < 0
            ? new DirectoryLease(-descriptor, isFresh: start == _root)
            : Keep(new DirectoryDescriptor(descriptor, new FilePath(path.ToArray())), moves, isFresh: start == _root);
    }

    /// <summary>Forgets a directory and everything below it, before or after it was moved or removed.</summary>
    internal void Forget(FilePath path)
    {
        lock (_gate)
        {
            _moves++;
            _root.ForgetNewFiles();
            for (LinkedListNode<DirectoryDescriptor>? node = _byUse.First; node is not null;)
            {
                LinkedListNode<DirectoryDescriptor>? next = node.Next;
                if (node.Value.Path.IsAtOrBelow(path))
                {
                    Remove(node.Value);
                }

                node = next;
            }
        }
    }

    /// <summary>Closes everything but the root, to give its descriptors to others.</summary>
    internal void Clear() => Forget(FilePath.Root);

    public void Dispose()
    {
        Clear();
        _root.Dispose();
    }

    private static DirectoryLease Lend(DirectoryDescriptor directory, bool isFresh)
    {
        AddReference(directory);
        return new DirectoryLease(directory, isFresh);
    }

    private static void AddReference(DirectoryDescriptor directory)
    {
        bool added = false;
        directory.DangerousAddRef(ref added);
    }

    private long OldestKept => Environment.TickCount64 - (long)LongestKept.TotalMilliseconds;

    private DirectoryDescriptor FindNearest(ReadOnlySpan<byte> path)
    {
        long oldest = OldestKept;
        while (!path.IsEmpty)
        {
            if (_lookup.TryGetValue(path, out DirectoryDescriptor? found) && found.OpenedAt < oldest)
            {
                Remove(found);
            }
            else if (found is not null)
            {
                if (_byUse.First != found.Place)
                {
                    _byUse.Remove(found.Place);
                    _byUse.AddFirst(found.Place);
                }

                return found;
            }

            path = path[..Math.Max(path.LastIndexOf((byte)'/'), 0)];
        }

        return _root;
    }

    private DirectoryLease Keep(DirectoryDescriptor opened, long moves, bool isFresh)
    {
        // The lease's reference comes first: what is not kept is disposed of here and closed when the lease ends.
        DirectoryLease lease = Lend(opened, isFresh);
        lock (_gate)
        {
            if (_moves != moves)
            {
                opened.Dispose();
                return lease;
            }

            if (_open.TryGetValue(opened.Path, out DirectoryDescriptor? earlier))
            {
                Remove(earlier);
            }
            else if (_open.Count >= _capacity)
            {
                Remove(LeastUsed());
            }

            _open.Add(opened.Path, opened);
            _byUse.AddFirst(opened.Place);
            Volatile.Write(ref _recent[FilePath.HashOf(opened.Path.Bytes) & MostRecent], opened);
        }

        return lease;
    }

    /// <summary>What was found without the lock has kept its place in the order of use: it is put in front now.</summary>
    private DirectoryDescriptor LeastUsed()
    {
        while (_byUse.Last!.Value is { WasUsed: true } used)
        {
            used.WasUsed = false;
            _byUse.Remove(used.Place);
            _byUse.AddFirst(used.Place);
        }

        return _byUse.Last.Value;
    }

    [SuppressMessage("Reliability", "CA2000", Justification = "It is disposed of: that gives the cache's own reference back.")]
    private void Remove(DirectoryDescriptor directory)
    {
        int recent = FilePath.HashOf(directory.Path.Bytes) & MostRecent;
        if (_recent[recent] == directory)
        {
            Volatile.Write(ref _recent[recent], null);
        }

        _open.Remove(directory.Path);
        _byUse.Remove(directory.Place);
        directory.Dispose();
    }
}
