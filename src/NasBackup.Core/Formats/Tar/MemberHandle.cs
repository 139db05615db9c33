using NasBackup.Files;

namespace NasBackup.Formats.Tar;

/// <summary>The content of a member of a volume, read like a file of its own, with its holes. It cannot be written.</summary>
/// <param name="window">The volume, as the member's headers were read from it.</param>
/// <param name="member">The member.</param>
/// <param name="status">What the file's status is.</param>
/// <param name="closed">Called when it is not needed any more.</param>
internal sealed class MemberHandle(VolumeWindow window, TarMember member, FileStatus status, Action closed) : IFileHandle
{
    private bool _isClosed;
    private long _position;

    public FileStatus GetStatus() => status;

    public int Read(Span<byte> buffer)
    {
        int read = ReadAt(buffer, _position);
        _position += read;
        return read;
    }

    public int ReadAt(Span<byte> buffer, long offset)
    {
        int wanted = (int)Math.Clamp(status.Size - offset, 0, buffer.Length);
        buffer = buffer[..wanted];
        if (member.Map is not { } map)
        {
            return window.ReadInto(buffer, member.ContentOffset + offset);
        }

        int done = 0;
        long stored = member.ContentOffset;
        foreach (SparseSegment segment in map.Segments)
        {
            long start = Math.Max(segment.Start, offset + done);
            if (done < wanted && start < segment.End)
            {
                int hole = (int)Math.Min(start - (offset + done), wanted - done);
                buffer.Slice(done, hole).Clear();
                done += hole;
                int count = (int)Math.Min(segment.End - start, wanted - done);
                int read = count == 0 ? 0 : window.ReadInto(buffer.Slice(done, count), stored + start - segment.Start);
                done += read;
                if (read < count)
                {
                    return done;
                }
            }

            stored += segment.Length;
        }

        buffer[done..].Clear();
        return wanted;
    }

    public bool TryFindData(long offset, out long start, out long end)
    {
        (start, end) = (offset, long.MaxValue);
        if (member.Map is not { } map)
        {
            return true;
        }

        foreach (SparseSegment segment in map.Segments)
        {
            if (segment.Length > 0 && segment.End > offset)
            {
                (start, end) = (Math.Max(offset, segment.Start), segment.End);
                return true;
            }
        }

        return false;
    }

    /// <summary>There are none here: those of the entry stand in the manifest.</summary>
    public ExtendedAttributes GetAttributes() => ExtendedAttributes.None;

    public void Write(ReadOnlySpan<byte> bytes) => throw ReadOnly();

    public void WriteAt(ReadOnlySpan<byte> bytes, long offset) => throw ReadOnly();

    public void SetLength(long length) => throw ReadOnly();

    public void Reserve(long bytes) => throw ReadOnly();

    public bool TryCloneFrom(IFileHandle source) => throw ReadOnly();

    public MetadataLoss SetMetadata(in FileMetadata metadata, ExtendedAttributes? attributes = null) => throw ReadOnly();

    public void Sync() => throw ReadOnly();

    public void Close() => Dispose();

    public void Dispose()
    {
        if (!_isClosed)
        {
            _isClosed = true;
            window.Dispose();
            closed();
        }
    }

    private static NotSupportedException ReadOnly() => new("A member of a volume is read only.");
}
