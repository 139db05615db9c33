namespace NasBackup.Simulation.Faults;

/// <summary>What can go wrong in a simulated cluster.</summary>
internal enum FaultKind
{
    /// <summary>The process is killed; its machine keeps what it wrote and sends it in time.</summary>
    ProcessKill,

    /// <summary>The machine loses its power, and with it what it had not sent.</summary>
    MachineCrash,

    /// <summary>Several machines at the same moment.</summary>
    CrashOfSeveral,

    /// <summary>All machines but one, at the same moment.</summary>
    CrashOfAllButOne,

    /// <summary>A process stands still and wakes up again; its clock runs on (SIGSTOP).</summary>
    Pause,

    /// <summary>A machine stands still and wakes up again, and its clock has stood still as well (a virtual machine).</summary>
    FrozenMachine,

    /// <summary>A node that went is started again under its name.</summary>
    Restart,

    /// <summary>All that a machine does takes many times as long.</summary>
    SlowNode,

    /// <summary>Operations on one volume take seconds now and then.</summary>
    SlowOperations,

    /// <summary>Operations on one volume fail now and then.</summary>
    FailingOperations,

    /// <summary>Operations on one volume take effect now and then and are reported as failed.</summary>
    FailingAfterEffect,

    /// <summary>One machine does not reach a volume; what it asks fails.</summary>
    Partition,

    /// <summary>One machine does not reach a volume; what it asks waits.</summary>
    HangingPartition,

    /// <summary>A volume is unmounted on one machine, and mounted again: what was open through it stays stale.</summary>
    Remount,

    /// <summary>The server of a volume loses its power; for a while nobody reaches it, and what was not synced is gone.</summary>
    ServerCrash,

    ShareFull,

    DeviceFull,

    DeviceReadOnly,

    /// <summary>A machine's clock on the wall jumps.</summary>
    ClockJump,

    /// <summary>Reading from the source blocks on one machine, while its process lives.</summary>
    StuckSource,

    /// <summary>A file of the source cannot be read, by one machine or by all.</summary>
    UnreadableFile,

    /// <summary>A file of the source gets another time of modification, as if its content had changed.</summary>
    TouchedFile,
}

/// <summary>One thing that goes wrong.</summary>
internal sealed record Fault(FaultKind Kind, int Machine, int Volume, TimeSpan At, TimeSpan Duration, double Strength, Trigger? Trigger);

/// <summary>A fault that strikes in the middle of an operation, not at a moment: narrow windows are hit on purpose.</summary>
/// <param name="Operation">Which kind of operation of that machine.</param>
/// <param name="Count">The how manieth of that kind, from 1.</param>
/// <param name="BeforeEffect">Whether it strikes before the operation takes effect, or after.</param>
/// <param name="Path">Part of the path that it must be done on, by whichever machine does it, which is the one that is struck; null
/// for any path, on the fault's own machine.</param>
internal sealed record Trigger(Storage.Operation Operation, int Count, bool BeforeEffect, string? Path = null)
{
    /// <summary>In place of a path: when a node has written the draft of a cut, and is about to publish it.</summary>
    public const string OfCut = "(cut)";
}
