using System.Buffers;
using NasBackup.Files;
using NasBackup.Formats;

namespace NasBackup.Coordination;

/// <summary>Reads what was frozen of a journal batch by batch, for who takes an entry at a time and needs not hold them all.</summary>
internal sealed class FrozenJournalReader : IDisposable
{
    private readonly IFileTree _tree;
    private readonly FilePath _path;
    private readonly FrozenJournal _frozen;
    private readonly Sealer _sealer;
    private readonly IFileHandle _handle;
    private readonly List<JournalEntry> _batch = [];
    private byte[] _buffer = ArrayPool<byte>.Shared.Rent(256 * 1024);
    private int _start;
    private int _end;
    private long _read;
    private long _batches;

    /// <summary>Opens a journal whose bytes are those that were frozen.</summary>
    /// <param name="tree">The share.</param>
    /// <param name="path">The journal.</param>
    /// <param name="frozen">What was decided on; nothing is read of what came later.</param>
    /// <param name="sealer">The cluster's key, where it has one.</param>
    /// <exception cref="BackupException">RecordDamaged: its bytes are others.</exception>
    /// <exception cref="FileSystemException">It cannot be read.</exception>
    public FrozenJournalReader(IFileTree tree, FilePath path, FrozenJournal frozen, Sealer? sealer)
    {
        (_tree, _path, _frozen, _sealer) = (tree, path, frozen, sealer ?? Sealer.Unkeyed);
        try
        {
            if (!JournalReader.Holds(tree, path, frozen))
            {
                throw Damaged();
            }

            _handle = tree.OpenRead(path);
        }
        catch (FileSystemException e) when (e.Problem is FileProblem.NotFound)
        {
            throw Damaged();
        }
    }

    /// <summary>The next batch, until the one behind it is asked for; null behind the last one.</summary>
    /// <exception cref="BackupException">RecordDamaged: it is none, or not signed for its place.</exception>
    /// <exception cref="FileSystemException">It cannot be read.</exception>
    public List<JournalEntry>? TryReadBatch()
    {
        int length;
        int scanned = 0;
        while ((length = _buffer.AsSpan(_start + scanned, _end - _start - scanned).IndexOf((byte)'\n')) < 0)
        {
            scanned = _end - _start;
            if (_read == _frozen.Length)
            {
                return scanned == 0 ? null : throw Damaged();
            }

            Fill();
        }

        ReadOnlySpan<byte> line = _buffer.AsSpan(_start, scanned + length + 1);
        _start += line.Length;
        return JournalReader.TryReadBatch(line, _sealer, _path, ++_batches, _batch) ? _batch : throw Damaged();
    }

    public void Dispose()
    {
        _handle.Dispose();
        if (_buffer.Length > 0)
        {
            ArrayPool<byte>.Shared.Return(_buffer);
            _buffer = [];
        }
    }

    private void Fill()
    {
        _buffer.AsSpan(_start, _end - _start).CopyTo(_buffer);
        (_start, _end) = (0, _end - _start);
        if (_end == _buffer.Length)
        {
            RentedBuffer.Lengthen(ref _buffer);
        }

        int read = _handle.ReadAt(_buffer.AsSpan(_end, (int)Math.Min(_buffer.Length - _end, _frozen.Length - _read)), _read);
        _end += read;
        _read += read > 0 ? read : throw Damaged();
    }

    private BackupException Damaged() => JournalReader.NotFrozen(_tree, _path, _frozen);
}
