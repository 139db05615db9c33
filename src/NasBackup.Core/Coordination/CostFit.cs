namespace NasBackup.Coordination;

/// <summary>
/// Learns, while a node works, what its work costs: time = bytes ÷ V + entries · c, fitted to the intervals between
/// checkpoints by least squares, with V above 0 and c not below. A mean speed alone (F3) would call the same node fast on
/// large files and slow on small ones. May be used by several threads.
/// </summary>
internal sealed class CostFit
{
    private const int LeastSamples = 3;

    /// <summary>
    /// 1 - cos² of the angle between the columns of bytes and of entries. Below it all intervals had nearly the same mix of
    /// both, so that nothing tells which of the two took the time.
    /// </summary>
    private const double LeastSpread = 0.01;

    /// <summary>V is at most this many times the best that an interval reached, or the default speed if that is more: where
    /// entries took all the time, the bytes' part is lost in the noise, and V could be anything.</summary>
    private const double MostAbovePeak = 4;

    private readonly Lock _gate = new();
    private double _waitingSeconds;
    private int _samples;
    private double _seconds;
    private double _bytes;
    private double _entries;
    private double _peak;

    // Sums of the products of bytes (b), entries (e) and seconds (t).
    private double _bb;
    private double _be;
    private double _ee;
    private double _bt;
    private double _et;

    /// <summary>Seconds with work, all samples together.</summary>
    public double Seconds
    {
        get
        {
            lock (_gate)
            {
                return _seconds + _waitingSeconds;
            }
        }
    }

    /// <summary>Bytes per second that moving bytes alone would reach; 0 as long as no bytes were moved.</summary>
    public double TransferRate => Solve().TransferRate;

    /// <summary>Seconds that an entry costs beside its bytes.</summary>
    public double CostPerEntry => Solve().CostPerEntry;

    /// <summary>An interval between two checkpoints. One in which nothing was committed counts with the next, which commits
    /// what it worked on. What cannot be (negative, not finite) is passed over.</summary>
    /// <param name="seconds">How long there was work in it.</param>
    /// <param name="bytes">Bytes that it committed.</param>
    /// <param name="entries">Entries that it committed.</param>
    public void Add(double seconds, long bytes, long entries)
    {
        if (!double.IsFinite(seconds) || seconds < 0 || bytes < 0 || entries < 0)
        {
            return;
        }

        lock (_gate)
        {
            double t = seconds + _waitingSeconds;
            if ((bytes == 0 && entries == 0) || t <= 0)
            {
                _waitingSeconds = t;
                return;
            }

            _waitingSeconds = 0;
            double b = bytes;
            double e = entries;
            _samples++;
            _seconds += t;
            _bytes += b;
            _entries += e;
            _peak = Math.Max(_peak, b / t);
            _bb += b * b;
            _be += b * e;
            _ee += e * e;
            _bt += b * t;
            _et += e * t;
        }
    }

    /// <summary>Both at once, from the same samples: V in bytes per second, c in seconds.</summary>
    public (double TransferRate, double CostPerEntry) Solve()
    {
        lock (_gate)
        {
            if (_bytes <= 0)
            {
                return (0, _entries > 0 ? _seconds / _entries : 0);
            }

            double mean = _bytes / _seconds;
            double determinant = (_bb * _ee) - (_be * _be);
            if (_samples < LeastSamples || !(determinant > LeastSpread * _bb * _ee))
            {
                return (mean, 0);
            }

            double secondsPerByte = ((_bt * _ee) - (_et * _be)) / determinant;
            double cost = ((_et * _bb) - (_bt * _be)) / determinant;
            double least = 1 / Math.Max(Node.DefaultSpeed, MostAbovePeak * _peak);
            if (secondsPerByte < least)
            {
                secondsPerByte = least;
                cost = (_et - (least * _be)) / _ee;
            }

            return cost > 0 && double.IsFinite(cost) && double.IsFinite(secondsPerByte) ? (1 / secondsPerByte, cost) : (mean, 0);
        }
    }
}
