using System.Buffers;
using System.Text;
using NasBackup.Files;
using NasBackup.Formats;

namespace NasBackup.Coordination;

/// <summary>
/// A record on the share: two fixed places, written in turn, each a sealed line that is padded with blanks. A write that
/// was torn leaves the other place whole; a reader takes the newer whole one, so it sees no gap and needs no lock. The first
/// record is written in the second place, together with the blank one before it: so whoever has shown a record has room for
/// all that follow, the one that says goodbye included, however full the share becomes.
/// </summary>
internal sealed class RecordFile : IDisposable
{
    /// <summary>Bytes of a place.</summary>
    public const int PlaceLength = 32 * 1024;

    /// <summary>A place that waits for its first record.</summary>
    private static readonly byte[] Blank = [.. Enumerable.Repeat((byte)' ', PlaceLength - 1), (byte)'\n'];

    private static ReadOnlySpan<byte> BeatHead => "\"beat\":"u8;

    private readonly Sealer _sealer;
    private readonly IFileTree _tree;
    private readonly FilePath _path;
    private readonly byte[] _place = new byte[PlaceLength];
    private IFileHandle? _handle;

    // Null until the first record stands.
    private int? _next;

    public RecordFile(IFileTree tree, FilePath path, Sealer? sealer = null)
    {
        _sealer = sealer ?? Sealer.Unkeyed;
        _tree = tree;
        _path = path;
    }

    /// <summary>Writes the other place and makes it durable.</summary>
    /// <exception cref="FileSystemException">It could not be done. Where there is no room for the first record, nothing of it stays.</exception>
    public void Write(RecordDocument record)
    {
        int next = _next ?? 1;
        byte[] line = _sealer.Seal(record, CoordinationJson.Default.RecordDocument, PlaceOf(_path, next));
        if (line.Length >= PlaceLength)
        {
            throw new FileSystemException(FileProblem.Other, "write", $"{_tree.RootPath}/{_path}", "the record is longer than its place");
        }

        line.CopyTo(_place, 0);
        _place.AsSpan(line.Length).Fill((byte)' ');
        _place[^1] = (byte)'\n';
        try
        {
            _handle ??= _tree.OpenReadWrite(_path);
            NamedPoint.Reach("record", _path);
            if (_next is null)
            {
                _handle.WriteAt([.. Blank, .. _place], 0);
            }
            else
            {
                _handle.WriteAt(_place, (long)next * PlaceLength);
            }

            _handle.Sync();
            NamedPoint.Reach("recorded", _path);
            _next = 1 - next;
        }
        catch (FileSystemException e)
        {
            // The share may have gone and come back under another descriptor.
            _handle?.Dispose();
            _handle = null;
            if (_next is null && e.Problem is FileProblem.NoSpace)
            {
                Withdraw();
            }

            throw;
        }
    }

    /// <summary>The newest whole record, read fresh by opening.</summary>
    /// <returns>Null where the file has none that is whole, or that of another.</returns>
    /// <exception cref="FileSystemException">It cannot be read; that says nothing about its owner.</exception>
    public static RecordDocument? Read(IFileTree tree, FilePath path, Sealer? sealer = null)
    {
        using IFileHandle handle = tree.OpenRead(path);
        byte[] places = ArrayPool<byte>.Shared.Rent(2 * PlaceLength);
        try
        {
            int length = handle.ReadAt(places.AsSpan(0, 2 * PlaceLength), 0);
            // The first record to be written stands in the second place, and counts when all of its room is there.
            RecordDocument? newest = Newest(
                places.AsSpan(0, Math.Min(length, PlaceLength)), length == 2 * PlaceLength ? places.AsSpan(PlaceLength, PlaceLength) : [], path, sealer ?? Sealer.Unkeyed);
            return newest is not null && path.Name.SequenceEqual(Encoding.UTF8.GetBytes($"{newest.Node}.{newest.Incarnation}")) ? newest : null;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(places);
        }
    }

    /// <summary>Looks whether a record that nobody writes any more is whole; one that is being written may look torn.</summary>
    /// <returns>What is wrong with it, in words, or null.</returns>
    /// <exception cref="FileSystemException">It cannot be read.</exception>
    public static string? DamageOf(IFileTree tree, FilePath path, Sealer? sealer = null)
    {
        using IFileHandle handle = tree.OpenRead(path);
        var places = new byte[2 * PlaceLength];
        int length = handle.ReadAt(places, 0);
        int written = length > PlaceLength ? 2 : 1;
        int whole = Enumerable.Range(0, written).Count(place =>
        {
            ReadOnlySpan<byte> bytes = places.AsSpan(place * PlaceLength, Math.Min(length - (place * PlaceLength), PlaceLength));
            return Open(bytes, sealer, PlaceOf(path, place)) is not null || bytes.SequenceEqual(Blank);
        });
        return whole == written ? null : whole == 0 ? "none of its places is whole" : "one of its two places is not whole";
    }

    public void Dispose() => _handle?.Dispose();

    /// <summary>Nobody has read a record yet: what there was room for is taken away again.</summary>
    private void Withdraw()
    {
        try
        {
            _tree.Delete(_path);
        }
        catch (FileSystemException)
        {
            // It holds no whole record, so for others it is nobody's.
        }
    }

    /// <summary>The newer of two records, of which the older one is not parsed: whoever watches many reads little else.</summary>
    private static RecordDocument? Newest(ReadOnlySpan<byte> firstPlace, ReadOnlySpan<byte> secondPlace, FilePath path, Sealer sealer)
    {
        bool hasFirst = sealer.TryOpen(firstPlace, PlaceOf(path, 0), out ReadOnlySpan<byte> first, out _);
        bool hasSecond = sealer.TryOpen(secondPlace, PlaceOf(path, 1), out ReadOnlySpan<byte> second, out _);
        RecordDocument? newer = null;
        if (hasFirst && hasSecond && BeatOf(first) is { } firstBeat && BeatOf(second) is { } secondBeat)
        {
            newer = Parse(firstBeat > secondBeat ? first : second);
        }

        if (newer is not null)
        {
            return newer;
        }

        RecordDocument? inFirst = hasFirst ? Parse(first) : null;
        RecordDocument? inSecond = hasSecond ? Parse(second) : null;
        return inSecond is null || inFirst?.Beat > inSecond.Beat ? inFirst : inSecond;

        static RecordDocument? Parse(ReadOnlySpan<byte> body) => SealedJson.Parse(body, CoordinationJson.Default.RecordDocument, out _);
    }

    /// <summary>The beat of a record as it is written here; null where it is written otherwise. Within a text its quotes would not stand like that.</summary>
    private static ulong? BeatOf(ReadOnlySpan<byte> body)
    {
        int at = body.IndexOf(BeatHead);
        var cursor = new LineCursor(at < 0 ? [] : body[(at + BeatHead.Length)..]);
        return cursor.TakeNumber(out ulong beat) && cursor.Take(","u8) ? beat : null;
    }

    private static RecordDocument? Open(ReadOnlySpan<byte> line, Sealer? sealer, string place)
        => (sealer ?? Sealer.Unkeyed).TryOpen(line, CoordinationJson.Default.RecordDocument, place, out _);

    private static string PlaceOf(FilePath path, int place) => $"{path}#{place}";
}
