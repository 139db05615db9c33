using NasBackup.Files;

namespace NasBackup.Sets;

/// <summary>Tells how far a verification or a restore is, some times a second. May be called from many threads.</summary>
internal sealed class WorkProgress(string node, long entries, long bytes, Action<NodeProgress>? report, TimeProvider time)
{
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(500);

    private readonly long _start = time.GetTimestamp();
    private long _last = time.GetTimestamp();
    private long _entriesDone;
    private long _bytesDone;
    private string? _current;

    /// <summary>Bytes of an entry that is in hand.</summary>
    public void Moved(long count)
    {
        Interlocked.Add(ref _bytesDone, count);
        Report();
    }

    /// <summary>An entry is through.</summary>
    /// <param name="size">Its bytes.</param>
    /// <param name="wasMoved">Whether they were told to <see cref="Moved"/>.</param>
    /// <param name="path">What it is called.</param>
    public void Done(long size, bool wasMoved, FilePath path)
    {
        Interlocked.Increment(ref _entriesDone);
        Interlocked.Add(ref _bytesDone, wasMoved ? 0 : size);
        if (report is not null && size > 256 * 1024)
        {
            _current = path.ToString();
        }

        Report();
    }

    private void Report()
    {
        long last = Interlocked.Read(ref _last);
        if (report is null || time.GetElapsedTime(last) < Interval || Interlocked.CompareExchange(ref _last, time.GetTimestamp(), last) != last)
        {
            return;
        }

        long done = Interlocked.Read(ref _bytesDone);
        double rate = done / Math.Max(0.001, time.GetElapsedTime(_start).TotalSeconds);
        report(new NodeProgress
        {
            Node = node,
            State = "Working",
            Entries = entries,
            EntriesDone = Interlocked.Read(ref _entriesDone),
            Bytes = bytes,
            BytesDone = Math.Min(done, bytes),
            Rate = rate,
            TimeLeft = rate > 0 ? TimeSpan.FromSeconds(Math.Max(0, bytes - done) / rate) : null,
            CurrentFile = _current,
        });
    }
}
