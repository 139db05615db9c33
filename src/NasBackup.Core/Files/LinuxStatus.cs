using System.Runtime.InteropServices;

namespace NasBackup.Files;

/// <summary>struct statx, the same on every architecture.</summary>
[StructLayout(LayoutKind.Explicit, Size = 256)]
internal struct LinuxStatus
{
    /// <summary>Type, mode, links, owner, group, modification and change time, inode, size, blocks. Not the access time,
    /// which some network file systems ask the server for.</summary>
    internal const uint WantedFields = 0x7DF;

    /// <summary>Type, inode and the number of the mount (Linux 5.8).</summary>
    internal const uint IdentityFields = 0x101 | MountField;

    private const uint MountField = 0x1000;

    private const ulong BytesPerBlock = 512;

    // No file system's blocks are smaller, but for file systems that keep small files elsewhere.
    private const ulong SmallestHole = 4096;

    [FieldOffset(0)] internal uint Fields;
    [FieldOffset(16)] internal uint Links;
    [FieldOffset(20)] internal uint Owner;
    [FieldOffset(24)] internal uint Group;
    [FieldOffset(28)] internal ushort Mode;
    [FieldOffset(32)] internal ulong Inode;
    [FieldOffset(40)] internal ulong Size;
    [FieldOffset(48)] internal ulong Blocks;
    [FieldOffset(96)] internal LinuxTime ChangeTime;
    [FieldOffset(112)] internal LinuxTime ModifiedTime;
    [FieldOffset(128)] internal uint DeviceMajor;
    [FieldOffset(132)] internal uint DeviceMinor;
    [FieldOffset(136)] internal uint FileSystemMajor;
    [FieldOffset(140)] internal uint FileSystemMinor;
    [FieldOffset(144)] internal ulong Mount;

    internal readonly EntryKind Kind => (Mode & LinuxCalls.KindMask) switch
    {
        LinuxCalls.DirectoryKind => EntryKind.Directory,
        LinuxCalls.LinkKind => EntryKind.SymbolicLink,
        LinuxCalls.FifoKind => EntryKind.Fifo,
        LinuxCalls.CharacterDeviceKind => EntryKind.CharacterDevice,
        LinuxCalls.BlockDeviceKind => EntryKind.BlockDevice,
        LinuxCalls.SocketKind => EntryKind.Socket,
        _ => EntryKind.File,
    };

    internal readonly ulong FileSystem => DeviceNumber(FileSystemMajor, FileSystemMinor);

    /// <summary>Bytes of a regular file that take no room: holes, or what a file system saves by compressing.</summary>
    internal readonly long UnstoredBytes => Kind == EntryKind.File && Size >= SmallestHole && Blocks < Size / BytesPerBlock
        ? (long)(Size - (Blocks * BytesPerBlock))
        : 0;

    internal readonly FileStatus ToFileStatus() => new(
        Kind,
        Kind == EntryKind.File ? (long)Size : 0,
        new FileMetadata(ModifiedTime.ToNanoseconds(), Mode & 0xFFF, Owner, Group),
        ChangeTime.ToNanoseconds(),
        Inode,
        FileSystem,
        Links,
        Kind is EntryKind.CharacterDevice or EntryKind.BlockDevice ? DeviceNumber(DeviceMajor, DeviceMinor) : 0);

    /// <summary>Whether both are the same file, seen through the same mount where the system tells.</summary>
    internal readonly bool IsSameAs(LinuxStatus other)
        => Inode == other.Inode && FileSystem == other.FileSystem && Kind == other.Kind
        && ((Fields & other.Fields & MountField) == 0 || Mount == other.Mount);

    /// <summary>As libc's makedev puts the two parts together.</summary>
    internal static ulong DeviceNumber(uint major, uint minor)
        => ((ulong)(major & 0xFFF) << 8) | ((ulong)(major & 0xFFFFF000) << 32) | (minor & 0xFF) | ((ulong)(minor & 0xFFFFFF00) << 12);
}

/// <summary>struct timespec, and the same fields of struct statx_timestamp.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct LinuxTime
{
    /// <summary>As nanoseconds, leaves that time as it is (UTIME_OMIT).</summary>
    internal const long Omit = (1L << 30) - 2;

    private const long PerSecond = 1_000_000_000;

    internal long Seconds;
    // statx has 32 bits here and 32 unused ones behind, which may hold anything.
    internal long Nanoseconds;

    internal static LinuxTime FromNanoseconds(long time)
    {
        (long seconds, long rest) = Math.DivRem(time, PerSecond);
        return rest < 0
            ? new LinuxTime { Seconds = seconds - 1, Nanoseconds = rest + PerSecond }
            : new LinuxTime { Seconds = seconds, Nanoseconds = rest };
    }

    /// <summary>A time beyond what 64 bits of nanoseconds hold (the years 1677 to 2262) becomes the nearest that they do.</summary>
    internal readonly long ToNanoseconds()
        => Seconds > long.MaxValue / PerSecond - 1 ? long.MaxValue
        : Seconds < long.MinValue / PerSecond + 1 ? long.MinValue
        : Seconds * PerSecond + (uint)Nanoseconds;
}

/// <summary>struct statfs, as it is on 64-bit systems.</summary>
[StructLayout(LayoutKind.Explicit, Size = 256)]
internal struct LinuxFileSystemStatus
{
    [FieldOffset(0)] internal long Type;
    [FieldOffset(8)] internal long BlockSize;
    [FieldOffset(16)] internal ulong Blocks;
    [FieldOffset(32)] internal ulong AvailableBlocks;
    [FieldOffset(40)] internal ulong Entries;
    [FieldOffset(48)] internal ulong FreeEntries;
    [FieldOffset(72)] internal long FragmentSize;

    internal readonly SpaceStatus ToSpaceStatus()
    {
        ulong unit = (ulong)(FragmentSize > 0 ? FragmentSize : BlockSize);
        // A file system that makes inodes as it needs them (btrfs) says that it has none at all.
        return new SpaceStatus(Bytes(AvailableBlocks, unit), Bytes(Blocks, unit), Entries == 0 ? -1 : (long)Math.Min(FreeEntries, long.MaxValue));
    }

    private static long Bytes(ulong blocks, ulong unit) => (long)UInt128.Min((UInt128)blocks * unit, long.MaxValue);
}
