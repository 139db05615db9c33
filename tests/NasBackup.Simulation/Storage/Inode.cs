using NasBackup.Files;

namespace NasBackup.Simulation.Storage;

/// <summary>A file apart from its names: what is there now, and what would still be there after the server lost its power.</summary>
internal sealed class Inode(ulong number, EntryKind kind)
{
    private byte[] _data = [];

    public ulong Number => number;

    public EntryKind Kind => kind;

    /// <summary>The content of a file, the target of a link.</summary>
    public ReadOnlySpan<byte> Data => _data;

    public long Length => Kind is EntryKind.File ? _data.Length : 0;

    public FileMetadata Metadata { get; set; }

    /// <summary>Nanoseconds since 1970 by the server's clock.</summary>
    public long ChangeTime { get; set; }

    public ulong DeviceNumber { get; init; }

    /// <summary>Of a directory: what it holds.</summary>
    public SortedDictionary<string, Inode> Names { get; } = new(StringComparer.Ordinal);

    /// <summary>Under which names it can be found.</summary>
    public List<(Inode Directory, string Name)> Places { get; } = [];

    /// <summary>What survives a crash of the server.</summary>
    public byte[] DurableData { get; private set; } = [];

    public bool IsDurable { get; private set; }

    public FileStatus Status(ulong fileSystem) => new(
        Kind, Length, Metadata, ChangeTime, Number, fileSystem, (uint)Math.Max(1, Places.Count), DeviceNumber);

    public void SetData(byte[] data)
    {
        _data = data;
        IsDurable = false;
    }

    public void Write(long offset, ReadOnlySpan<byte> bytes)
    {
        // A copy: what is durable must stay what it was.
        long length = Math.Max(_data.Length, offset + bytes.Length);
        var data = new byte[length];
        _data.CopyTo(data, 0);
        bytes.CopyTo(data.AsSpan((int)offset));
        SetData(data);
    }

    public void SetLength(long length)
    {
        var data = new byte[length];
        _data.AsSpan(0, (int)Math.Min(length, _data.Length)).CopyTo(data);
        SetData(data);
    }

    public void MakeDurable()
    {
        DurableData = _data;
        IsDurable = true;
    }

    /// <summary>The server lost its power: what was not synced is gone.</summary>
    public void Revert()
    {
        _data = DurableData;
        IsDurable = true;
    }
}
