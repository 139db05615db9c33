using System.IO.Hashing;
using NasBackup.Simulation.Scheduling;
using NasBackup.Simulation.Storage;

namespace NasBackup.Simulation.Cluster;

/// <summary>What happened, in order. A run keeps only its hash, by which two runs of one seed are known to be the same; a run
/// that is looked at again keeps the text.</summary>
internal sealed class Trace(Scheduler scheduler, bool keepsText)
{
    private readonly XxHash64 _hash = new();
    private readonly List<string> _lines = [];

    public ulong Hash => _hash.GetCurrentHashAsUInt64();

    public IReadOnlyList<string> Lines => _lines;

    public long Events { get; private set; }

    public void Add(string process, Operation operation, string path, string? problem)
    {
        Events++;
        Span<byte> numbers = stackalloc byte[16];
        BitConverter.TryWriteBytes(numbers, scheduler.Now);
        BitConverter.TryWriteBytes(numbers[8..], (int)operation);
        BitConverter.TryWriteBytes(numbers[12..], path.Length + (problem is null ? 0 : 65536));
        _hash.Append(numbers);
        if (keepsText)
        {
            Say(process, $"{operation} {path}{(problem is null ? "" : $" -> {problem}")}");
        }
    }

    /// <summary>Something other than an operation, in words.</summary>
    public void Say(string who, string text)
    {
        if (keepsText)
        {
            _lines.Add($"{TimeSpan.FromTicks(scheduler.Now).TotalSeconds,11:F5}  {who,-14} {text}");
        }
    }
}
