using System.Globalization;
using NasBackup.Tests.Support;

namespace NasBackup.Tests.Soak;

/// <summary>What must not grow from round to round.</summary>
/// <param name="Heap">Bytes of live objects of this process, in which one node and all commands run.</param>
/// <param name="Descriptors">Open files of this process.</param>
/// <param name="Threads">Threads of this process.</param>
/// <param name="NodeMemory">The most bytes of memory that a node's process had in the round.</param>
/// <param name="NodeDescriptors">The most open files that a node's process had in the round.</param>
/// <param name="ShareFolders">Folders on the share.</param>
/// <param name="ShareFiles">Files on the share, without the turns, of which each backup leaves one up to a thousand.</param>
/// <param name="DeviceNames">Names on the device that belong to no set, and names in the sets' own folders.</param>
/// <param name="TemporaryFiles">What lies in the folder for temporary files.</param>
internal sealed record Measure(
    long Heap, int Descriptors, int Threads, long NodeMemory, int NodeDescriptors, int ShareFolders, int ShareFiles, int DeviceNames, int TemporaryFiles)
{
    public override string ToString() => string.Create(
        CultureInfo.InvariantCulture,
        $"heap {Heap / 1024.0 / 1024:F1} MiB, {Descriptors} descriptors, {Threads} threads; nodes at most {NodeMemory / 1024.0 / 1024:F0} MiB, {NodeDescriptors} descriptors; share {ShareFolders} folders, {ShareFiles} files; device {DeviceNames} names beside the data; {TemporaryFiles} temporary files");
}

/// <summary>Looks at the nodes' processes while they run.</summary>
internal sealed class Gauge : IDisposable
{
    private readonly Func<IReadOnlyList<RunnerProcess>> _nodes;
    private readonly CancellationTokenSource _over = new();
    private readonly Thread _thread;
    private long _memory;
    private int _descriptors;

    public Gauge(Func<IReadOnlyList<RunnerProcess>> nodes)
    {
        _nodes = nodes;
        _thread = new Thread(Look);
        _thread.Start();
    }

    /// <summary>The most since the last call: bytes of memory (the kernel's own high-water mark), open files.</summary>
    public (long Memory, int Descriptors) Take() => (Interlocked.Exchange(ref _memory, 0), Interlocked.Exchange(ref _descriptors, 0));

    public static int Descriptors(int process) => Directory.GetFileSystemEntries($"/proc/{process}/fd").Length;

    /// <summary>The most bytes of memory that a process has had so far, by the kernel's own account; 0 where it has ended.</summary>
    public static long HighWater(int process)
    {
        try
        {
            string? peak = File.ReadLines($"/proc/{process}/status").FirstOrDefault(line => line.StartsWith("VmHWM:", StringComparison.Ordinal));
            return peak is null ? 0 : 1024 * long.Parse(peak.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture);
        }
        catch (IOException)
        {
            return 0;
        }
    }

    public void Dispose()
    {
        _over.Cancel();
        _thread.Join();
        _over.Dispose();
    }

    private void Look()
    {
        while (!_over.Token.WaitHandle.WaitOne(100))
        {
            foreach (RunnerProcess node in _nodes())
            {
                try
                {
                    _memory = Math.Max(_memory, HighWater(node.Id));
                    _descriptors = Math.Max(_descriptors, Descriptors(node.Id));
                }
                catch (Exception e) when (e is IOException or InvalidOperationException or UnauthorizedAccessException)
                {
                    // It has ended.
                }
            }
        }
    }
}
