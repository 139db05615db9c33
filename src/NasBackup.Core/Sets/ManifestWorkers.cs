using System.Runtime.ExceptionServices;
using NasBackup.Coordination;

namespace NasBackup.Sets;

/// <summary>Lets several workers do something with each entry of a manifest, each taking the next ones as it goes.</summary>
internal sealed class ManifestWorkers(INodeRuntime runtime, int workers, CancellationToken cancellation)
{
    /// <summary>Small entries are taken some at a time; a large one is taken alone, so that no worker sits on others' work.</summary>
    private const int MostTaken = 64;
    private const long MostTakenBytes = 256 * 1024;

    private readonly Lock _gate = new();
    private ExceptionDispatchInfo? _failure;

    /// <summary>Returns when all entries are through.</summary>
    /// <param name="entries">Walked by one worker at a time, in order.</param>
    /// <param name="work">Called from several threads; the first exception ends all of it, and is thrown.</param>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    public void Run(IEnumerable<ManifestEntry> entries, Action<ManifestEntry> work)
    {
        using IEnumerator<ManifestEntry> items = entries.GetEnumerator();
        int count = workers > 0 ? workers : Math.Clamp(Environment.ProcessorCount, 2, 8);
        INodeThread[] threads = [.. Enumerable.Range(1, count - 1).Select(i => runtime.Start($"worker {i}", () => Work(items, work)))];
        Work(items, work);
        foreach (INodeThread thread in threads)
        {
            thread.Join();
        }

        _failure?.Throw();
    }

    private void Work(IEnumerator<ManifestEntry> items, Action<ManifestEntry> work)
    {
        var taken = new List<ManifestEntry>(MostTaken);
        try
        {
            while (Take(items, taken))
            {
                foreach (ManifestEntry entry in taken)
                {
                    cancellation.ThrowIfCancellationRequested();
                    work(entry);
                }
            }
        }
        catch (Exception e)
        {
            lock (_gate)
            {
                _failure ??= ExceptionDispatchInfo.Capture(e);
            }
        }
    }

    private bool Take(IEnumerator<ManifestEntry> items, List<ManifestEntry> taken)
    {
        taken.Clear();
        long bytes = 0;
        lock (_gate)
        {
            while (_failure is null && taken.Count < MostTaken && bytes < MostTakenBytes && items.MoveNext())
            {
                taken.Add(items.Current);
                bytes += items.Current.Entry.Size;
            }
        }

        return taken.Count > 0;
    }
}
