using NasBackup.Files;

namespace NasBackup.Simulation.Storage;

/// <summary>Looks at a volume as its server has it: nothing is slow, stale or fails. For the checks alone.</summary>
internal sealed class DirectWorld : IWorld
{
    public static IFileTree Open(Volume volume, Inode? root = null)
        => new NodeTree(new DirectWorld(), new ClientMount(volume, new Random(0), () => 0, 0, _ => { }), root ?? volume.Root, $"/{volume.Name}", () => true);

    public T Do<T>(ClientMount mount, Operation operation, string path, Func<T> effect) => effect();

    public void Pass()
    {
    }
}
