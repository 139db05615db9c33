using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace NasBackup.Files;

/// <summary>
/// An open directory. Who uses it holds a reference, so that the descriptor is closed, and its number given to another
/// file, only when the last user is done with it.
/// </summary>
internal sealed class DirectoryDescriptor : SafeHandleMinusOneIsInvalid
{
    private long _newFileOwner = -1;
    private long _newFileGroup = -1;

    internal DirectoryDescriptor(int descriptor, FilePath path)
        : base(ownsHandle: true)
    {
        SetHandle(descriptor);
        Path = path;
        Place = new LinkedListNode<DirectoryDescriptor>(this);
    }

    /// <summary>Where it was when it was opened.</summary>
    internal FilePath Path { get; }

    /// <summary>When it was opened (<see cref="Environment.TickCount64"/>, milliseconds).</summary>
    internal long OpenedAt { get; } = Environment.TickCount64;

    /// <summary>Its place in the cache's order of use.</summary>
    internal LinkedListNode<DirectoryDescriptor> Place { get; }

    /// <summary>The descriptor's number; only with a reference held.</summary>
    internal int Number => (int)handle;

    /// <summary>Whether a file that this process makes here is known to belong to that owner and group from the start.
    /// It is learnt, not computed: setgid folders, mount options and NFS servers each have a say in it.</summary>
    internal bool GivesNewFilesTo(uint owner, uint group)
        => Volatile.Read(ref _newFileOwner) == owner && Volatile.Read(ref _newFileGroup) == group;

    internal bool KnowsNewFileOwner => Volatile.Read(ref _newFileGroup) >= 0;

    /// <summary>Remembers whom the first file made here belonged to.</summary>
    internal void LearnNewFileOwner(uint owner, uint group)
    {
        Volatile.Write(ref _newFileOwner, owner);
        Volatile.Write(ref _newFileGroup, group);
    }

    /// <summary>To be called when the directory's own owner or mode changes, which new files may get theirs from.</summary>
    internal void ForgetNewFileOwner() => Volatile.Write(ref _newFileGroup, -1);

    /// <inheritdoc/>
    protected override bool ReleaseHandle() => LinuxCalls.Close((int)handle) == 0;
}

/// <summary>A directory lent for one call, or the error number why it cannot be had.</summary>
[StructLayout(LayoutKind.Auto)]
internal readonly ref struct DirectoryLease
{
    private readonly DirectoryDescriptor? _directory;

    /// <summary>Takes over a reference that the caller has added.</summary>
    internal DirectoryLease(DirectoryDescriptor directory, bool isFresh)
    {
        _directory = directory;
        IsFresh = isFresh;
    }

    internal DirectoryLease(int error, bool isFresh)
    {
        Error = error;
        IsFresh = isFresh;
    }

    /// <summary>0, or why there is no directory.</summary>
    internal int Error { get; }

    /// <summary>Whether every component was looked up just now, so that looking again would find the same.</summary>
    internal bool IsFresh { get; }

    internal DirectoryDescriptor Directory => _directory!;

    public void Dispose() => _directory?.DangerousRelease();
}
