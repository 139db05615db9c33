namespace NasBackup.Transfer;

/// <summary>
/// Keeps all workers of a node together below a rate: a token bucket that holds a second's worth. Time that was not used is not
/// saved up beyond that.
/// </summary>
/// <param name="bytesPerSecond">The rate, or null where there is no limit.</param>
/// <param name="time">The node's clock.</param>
/// <param name="unused">For how long the node has run without moving anything: what it took to begin is made up for, so that a
/// node moves its rate × the time since it was started, as far as that goes into the bucket.</param>
internal sealed class RateLimiter(long? bytesPerSecond, TimeProvider time, TimeSpan unused = default)
{
    /// <summary>Seconds of unused time that may be made up for: what a device takes to make a checkpoint durable. With less, a node
    /// stays below its rate wherever its device stalls now and then.</summary>
    private const double Slack = 1;

    private readonly Lock _gate = new();
    private readonly long _start = time.GetTimestamp();
    private double _paidUntil = -Math.Min(Slack, unused.TotalSeconds);

    /// <summary>How much to move between two questions, in bytes: a twentieth of a second's worth.</summary>
    public int ChunkBytes { get; } = (int)Math.Clamp((bytesPerSecond ?? long.MaxValue) / 20, 4096, 1024 * 1024);

    /// <summary>How long the caller has to wait before it goes on after moving that many bytes.</summary>
    public TimeSpan Pay(long bytes)
    {
        if (bytesPerSecond is not { } rate)
        {
            return TimeSpan.Zero;
        }

        lock (_gate)
        {
            double now = time.GetElapsedTime(_start).TotalSeconds;
            _paidUntil = Math.Max(_paidUntil, now - Slack) + ((double)bytes / rate);
            return _paidUntil <= now ? TimeSpan.Zero : TimeSpan.FromSeconds(_paidUntil - now);
        }
    }
}
