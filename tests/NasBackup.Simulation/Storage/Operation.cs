namespace NasBackup.Simulation.Storage;

/// <summary>What a node does to files, as the faults and the trace call it.</summary>
internal enum Operation
{
    Open,
    OpenRead,
    CreateNew,
    OpenReadWrite,
    GetStatus,
    CreateDirectory,
    CreateSymbolicLink,
    CreateSpecial,
    ReadLink,
    Link,
    Rename,
    Delete,
    DeleteDirectory,
    SetMetadata,
    ReadDirectory,
    SyncAll,
    SyncDirectory,
    GetSpace,
    Read,
    Write,
    SetLength,
    Reserve,
    Sync,
    Close,
}

/// <summary>Where a node's operations meet the simulated world: each is a moment at which another thread may run, and at
/// which something may go wrong.</summary>
internal interface IWorld
{
    /// <summary>Does an operation.</summary>
    /// <param name="mount">Through which mount.</param>
    /// <param name="operation">What.</param>
    /// <param name="path">On what, from the volume's root, for the trace.</param>
    /// <param name="effect">What it does; takes effect as a whole.</param>
    /// <exception cref="Files.FileSystemException">It failed, with or without effect.</exception>
    /// <exception cref="Scheduling.ProcessDeadException">The process is no more.</exception>
    T Do<T>(ClientMount mount, Operation operation, string path, Func<T> effect);

    /// <summary>Time passes within an operation.</summary>
    void Pass();
}
