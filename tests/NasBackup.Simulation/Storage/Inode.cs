using NasBackup.Files;

namespace NasBackup.Simulation.Storage;

/// <summary>A file apart from its names: what is there now, and what would still be there after the server lost its power.</summary>
internal sealed class Inode(ulong number, EntryKind kind)
{
    // Room for more than the content has, and one array for both as long as they are the same: a file that is written piece by
    // piece is not copied for each of them. What one that is written again and again (a record) needs no longer is kept for
    // the next time.
    private byte[] _data = [];
    private byte[] _durable = [];
    private byte[] _spare = [];
    private int _length;
    private int _durableLength;

    public ulong Number => number;

    public EntryKind Kind => kind;

    /// <summary>The content of a file, the target of a link.</summary>
    public ReadOnlySpan<byte> Data => _data.AsSpan(0, _length);

    public long Length => Kind is EntryKind.File ? _length : 0;

    public FileMetadata Metadata { get; set; }

    /// <summary>Nanoseconds since 1970 by the server's clock.</summary>
    public long ChangeTime { get; set; }

    public ulong DeviceNumber { get; init; }

    /// <summary>Of a directory: what it holds.</summary>
    public SortedDictionary<string, Inode> Names { get; } = new(StringComparer.Ordinal);

    /// <summary>Under which names it can be found.</summary>
    public List<(Inode Directory, string Name)> Places { get; } = [];

    /// <summary>What survives a crash of the server.</summary>
    public ReadOnlyMemory<byte> DurableData => _durable.AsMemory(0, _durableLength);

    public bool IsDurable { get; private set; }

    /// <summary>How many bytes from the start on have room of their own, whatever else fills the volume: what was written there, or reserved.</summary>
    public long Allocated { get; set; }

    public FileStatus Status(ulong fileSystem) => new(
        Kind, Length, Metadata, ChangeTime, Number, fileSystem, (uint)Math.Max(1, Places.Count), DeviceNumber);

    public void SetData(byte[] data)
    {
        (_data, _length) = (data, data.Length);
        IsDurable = false;
    }

    public void Write(long offset, ReadOnlySpan<byte> bytes)
    {
        IsDurable = false;
        int end = (int)offset + bytes.Length;
        if (end <= _length && Data[(int)offset..end].SequenceEqual(bytes))
        {
            // A client sends again what it has sent before, until it is synced.
            return;
        }

        Make(Math.Max(_length, end), (int)offset, end);
        bytes.CopyTo(_data.AsSpan((int)offset));
    }

    public void SetLength(long length)
    {
        IsDurable = false;
        Make((int)length, (int)length, (int)length);
    }

    public void MakeDurable()
    {
        byte[] before = _durable;
        (_durable, _durableLength) = (_data, _length);
        IsDurable = true;
        KeepSpare(before);
    }

    /// <summary>The server lost its power: what was not synced is gone.</summary>
    public void Revert()
    {
        byte[] before = _data;
        (_data, _length) = (_durable, _durableLength);
        IsDurable = true;
        KeepSpare(before);
    }

    /// <summary>Makes the content that long, with zeros where there was nothing, in an array of which all behind a place may be written
    /// without touching what is durable.</summary>
    /// <param name="length">How long it becomes.</param>
    /// <param name="written">From where on the caller writes.</param>
    /// <param name="end">Up to where the caller writes, and what is there until then may be anything.</param>
    private void Make(int length, int written, int end)
    {
        int kept = Math.Min(_length, length);
        if (length > _data.Length || (_data == _durable && Math.Min(written, kept) < _durableLength))
        {
            byte[] data = NewArray(length);
            Data[..Math.Min(written, kept)].CopyTo(data);
            if (end < kept)
            {
                Data[end..kept].CopyTo(data.AsSpan(end));
            }

            byte[] before = _data;
            _data = data;
            KeepSpare(before);
        }

        if (written > _length)
        {
            _data.AsSpan(_length, written - _length).Clear();
        }

        _length = length;
    }

    private byte[] NewArray(int length)
    {
        if (_spare.Length >= length)
        {
            byte[] spare = _spare;
            _spare = [];
            return spare;
        }

        // More room only for what grows.
        return GC.AllocateUninitializedArray<byte>(length > _length ? Math.Max(length, (int)Math.Min(2L * _length, Array.MaxLength)) : length);
    }

    private void KeepSpare(byte[] array)
    {
        if (array != _data && array != _durable && array.Length >= _length)
        {
            _spare = array;
        }
    }
}
