using System.Runtime.InteropServices;

namespace NasBackup.Simulation.Scheduling;

/// <summary>
/// The one core of the machine that all threads of a cluster run on. Only one of them runs at a time, and handing the baton to
/// a thread that sleeps on another core costs several times what it costs on the same one.
/// </summary>
internal sealed partial class Seat
{
    // 1,024 cores, as the C library's own sets have them.
    private const int Words = 16;

    // Where this process began to run: of two that run at once, each with one seat, the system has put the second elsewhere.
    private static readonly int s_first = OperatingSystem.IsLinux() ? GetCore() : 0;

    [ThreadStatic]
    private static Seat? s_own;

    private readonly ulong[] _mask = new ulong[Words];

    private Seat(int core) => _mask[core / 64] = 1UL << (core % 64);

    /// <summary>The calling thread's, or null where it has none.</summary>
    public static Seat? Own => s_own;

    /// <summary>Gives the calling thread a seat, and with it the clusters that it makes; nothing happens where the system has no such call.</summary>
    /// <param name="number">From 0 on; the cores that this process may use are given out in turn, the one that it began on first.</param>
    public static void Take(int number)
    {
        var allowed = new ulong[Words];
        if (!OperatingSystem.IsLinux() || GetAffinity(0, sizeof(ulong) * Words, allowed) < 0)
        {
            return;
        }

        int[] cores = [.. Enumerable.Range(0, Words * 64).Where(core => (allowed[core / 64] >> (core % 64) & 1) != 0)];
        s_own = new Seat(cores[(Math.Max(0, Array.IndexOf(cores, s_first)) + number) % cores.Length]);
        s_own.Sit();
    }

    /// <summary>From now on the calling thread runs there. A thread that was made by one with a seat has all cores again.</summary>
    public void Sit() => _ = SetAffinity(0, sizeof(ulong) * Words, _mask);

    [LibraryImport("libc", EntryPoint = "sched_getaffinity")]
    private static partial int GetAffinity(int thread, nint length, [In, Out] ulong[] mask);

    [LibraryImport("libc", EntryPoint = "sched_getcpu")]
    private static partial int GetCore();

    [LibraryImport("libc", EntryPoint = "sched_setaffinity")]
    private static partial int SetAffinity(int thread, nint length, [In] ulong[] mask);
}
