namespace NasBackup.Simulation.Scheduling;

/// <summary>
/// The system's threads that simulated ones run on. A cluster starts a hundred threads or more, most of which live for a moment: to make
/// one of the system's for each takes longer than what many of them do. Who runs many clusters keeps their threads for the next one.
/// </summary>
internal sealed class Crew : IDisposable
{
    [ThreadStatic]
    private static Crew? s_own;

    private readonly List<Member> _all = [];
    private readonly Stack<Member> _free = new();
    private readonly Seat? _seat = Seat.Own;

    /// <summary>The calling thread's, or null where each cluster that it makes has one of its own.</summary>
    public static Crew? Own => s_own;

    /// <summary>The clusters that the calling thread makes share one, until it is disposed of, by the same thread, when none of them runs.</summary>
    public static Crew Share() => s_own = new Crew();

    /// <summary>A thread that has nothing to do. Whoever asks is the only one that runs.</summary>
    public Member Take()
    {
        if (!_free.TryPop(out Member? member))
        {
            _all.Add(member = new Member(this));
        }

        return member;
    }

    /// <summary>Waits until all of its threads are gone.</summary>
    public void Dispose()
    {
        _all.ForEach(member => member.Leave());
        _all.ForEach(member => member.Join());
        if (s_own == this)
        {
            s_own = null;
        }
    }

    /// <summary>One of its threads, with the baton that it waits for.</summary>
    internal sealed class Member
    {
        private const int StackBytes = 512 * 1024;

        private readonly Crew _crew;
        private readonly Thread _thread;
        private SimulatedThread? _work;
        private bool _isStarted;

        public Member(Crew crew)
        {
            _crew = crew;
            _thread = new Thread(Run, StackBytes) { IsBackground = true };
        }

        /// <summary>What it waits for.</summary>
        public Baton Baton { get; } = new();

        /// <summary>Has it run a simulated thread to its end; it is free again as soon as that is over.</summary>
        public void Begin(SimulatedThread work)
        {
            _work = work;
            Baton.Give();
            if (!_isStarted)
            {
                _isStarted = true;
                _thread.Start();
            }
        }

        /// <summary>It is free from now on, though it is still on its way: the next baton finds it where it waits.</summary>
        public void SetFree() => _crew._free.Push(this);

        public void Leave() => Baton.Give();

        public void Join() => _thread.Join();

        private void Run()
        {
            _crew._seat?.Sit();
            while (true)
            {
                Baton.Take();
                if (_work is not { } work)
                {
                    return;
                }

                _work = null;
                work.Run(this);
            }
        }
    }
}
