using NasBackup.Files;
using NasBackup.Simulation.Scheduling;
using NasBackup.Simulation.Storage;

namespace NasBackup.Simulation.Cluster;

/// <summary>A machine of the cluster: its clocks, its mounts, and the process that runs on it now, if any.</summary>
internal sealed class Machine
{
    private readonly Dictionary<string, ClientMount?> _mounts = new(StringComparer.Ordinal);
    private readonly Func<Volume, ClientMount> _mount;
    private long _troubledUntil;
    private bool _isDead;

    public Machine(string name, int number, Random random, MachineClock clock, Volume local, IReadOnlyList<Volume> volumes, Func<Volume, ClientMount> mount)
    {
        (Name, Number, Random, Clock, Local, _mount) = (name, number, random, clock, local, mount);
        foreach (Volume volume in volumes)
        {
            local.Create(local.Root, FilePath.FromText(volume.Name), EntryKind.Directory, "make");
            _mounts[volume.Name] = mount(volume);
        }
    }

    public string Name { get; }

    public int Number { get; }

    /// <summary>What chance decides on this machine.</summary>
    public Random Random { get; }

    public MachineClock Clock { get; }

    /// <summary>The machine's own disk: what is seen where nothing is mounted.</summary>
    public Volume Local { get; }

    /// <summary>The process that runs on it, or the last that did.</summary>
    public SimulatedProcess? Process { get; set; }

    public bool IsRunning => Process is { IsDead: false, IsOver: false };

    /// <summary>By how much all that it does is slowed down.</summary>
    public double Slowness { get; set; } = 1;

    /// <summary>Until when (ticks) something is wrong on it; for good while its node is dead.</summary>
    public long TroubledUntil => _isDead ? long.MaxValue : _troubledUntil;

    public IEnumerable<ClientMount> Mounts => _mounts.Values.OfType<ClientMount>();

    public ClientMount? MountOf(string volume) => _mounts[volume];

    /// <summary>Something is wrong on it until then (ticks), also for a node that is started meanwhile.</summary>
    public void Trouble(long until) => _troubledUntil = Math.Max(_troubledUntil, until);

    public void NoteDeath() => _isDead = true;

    /// <summary>A node is started on it at that time (ticks).</summary>
    public void NoteStart(long now)
    {
        _isDead = false;
        Trouble(now);
    }

    /// <summary>Takes a volume away: what is open through it goes stale, and its place is an empty folder.</summary>
    public void Unmount(string volume)
    {
        if (_mounts[volume] is { } mount)
        {
            mount.IsStale = true;
            mount.Drop();
        }

        _mounts[volume] = null;
    }

    public void Mount(Volume volume) => _mounts[volume.Name] ??= _mount(volume);

    /// <summary>The power is gone. After it the machine starts again, with fresh mounts and nothing in memory.</summary>
    public bool LosePower()
    {
        bool torn = false;
        foreach (string volume in _mounts.Keys.ToArray())
        {
            if (_mounts[volume] is { } mount)
            {
                torn |= mount.HasDirty && mount.WriteBackSome();
                mount.Drop();
                mount.IsStale = true;
                _mounts[volume] = _mount(mount.Volume);
            }
        }

        return torn;
    }

    /// <summary>Opens a folder by its absolute path, as a process on this machine would.</summary>
    public NodeTree Open(IWorld world, string path)
    {
        FilePath below = FilePath.Parse(path.Trim('/'));
        string first = path.Trim('/').Split('/')[0];
        if (_mounts.GetValueOrDefault(first) is { } mounted)
        {
            FilePath rest = FilePath.Parse(string.Join('/', path.Trim('/').Split('/')[1..]));
            return OpenOn(world, mounted, rest, path, () => _mounts.GetValueOrDefault(first) == mounted);
        }

        var disk = new ClientMount(Local, Random, () => 0, 0, _ => { });
        return OpenOn(world, disk, below, path, () => first.Length == 0 || _mounts.GetValueOrDefault(first) is null);
    }

    private static NodeTree OpenOn(IWorld world, ClientMount mount, FilePath below, string path, Func<bool> isThere)
    {
        Inode root = world.Do(mount, Operation.Open, path, () =>
        {
            Inode found = mount.Volume.Find(mount.Volume.Root, below, "open");
            return found.Kind is EntryKind.Directory
                ? found
                : throw mount.Volume.Error(FileProblem.NotADirectory, "open", below, "Not a directory");
        });
        return new NodeTree(world, mount, root, path, () => isThere() && StillLeadsTo(mount.Volume, below, root));
    }

    private static bool StillLeadsTo(Volume volume, FilePath below, Inode root)
    {
        try
        {
            return volume.Find(volume.Root, below, "open") == root;
        }
        catch (FileSystemException)
        {
            return false;
        }
    }
}
