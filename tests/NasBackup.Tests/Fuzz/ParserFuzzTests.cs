using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using NasBackup.Coordination;
using NasBackup.Files;
using NasBackup.Jobs;
using NasBackup.Tests.Coordination;

namespace NasBackup.Tests.Fuzz;

/// <summary>
/// Nobody's damaged or hostile file costs more than itself: whatever stands in it, reading it gives a value or an error that
/// names the file, in bounded time and memory. NASBACKUP_FUZZ_INPUTS sets how many inputs are tried, NASBACKUP_FUZZ_SEED
/// where they start; a failure names the seed of its input.
/// </summary>
public sealed class ParserFuzzTests(ITestOutputHelper output)
{
    private static readonly Lazy<Corpus> Real = new(Corpus.Make);

    private const long MostBytesPerInput = 400L * 1024 * 1024;
    private static readonly TimeSpan MostTimePerInput = TimeSpan.FromSeconds(20);

    [Fact]
    public void Whatever_stands_in_a_file_is_read_or_refused_with_its_name()
    {
        int inputs = Setting("NASBACKUP_FUZZ_INPUTS", 100_000);
        int first = Setting("NASBACKUP_FUZZ_SEED", 1);
        Corpus corpus = Real.Value;
        IReadOnlyList<Parser> parsers = Parser.All(corpus);
        byte[][] all = [.. parsers.SelectMany(parser => parser.Examples)];
        foreach (Parser parser in parsers)
        {
            // The examples themselves are read, or the rest would prove nothing.
            foreach (byte[] example in parser.Examples)
            {
                parser.Read(new MemoryFiles("/root", new Dictionary<string, byte[]>(StringComparer.Ordinal) { [parser.Path] = example }));
            }
        }

        var failures = new ConcurrentQueue<string>();
        var outcomes = new ConcurrentDictionary<string, int>(StringComparer.Ordinal);
        Parallel.For(first, first + inputs, new ParallelOptions { MaxDegreeOfParallelism = Environment.ProcessorCount }, (seed, loop) =>
        {
            var random = new Random(seed);
            Parser parser = parsers[seed % parsers.Count];
            byte[] input = new Mutator(random, all).Mutate(parser.Examples[random.Next(parser.Examples.Count)]);
            string outcome = Try(parser, input, MostBytesPerInput, out string? failure);
            outcomes.AddOrUpdate($"{parser.Name}: {outcome}", 1, static (_, count) => count + 1);
            if (failure is not null)
            {
                failures.Enqueue($"seed {seed}, {parser.Name}: {failure}\n{Mutator.Show(input)}");
                if (failures.Count > 20)
                {
                    loop.Stop();
                }
            }
        });
        foreach ((string outcome, int count) in outcomes.OrderBy(pair => pair.Key, StringComparer.Ordinal))
        {
            output.WriteLine($"{outcome}: {count}");
        }

        Assert.True(failures.IsEmpty, string.Join("\n\n", failures.Take(5)));
    }

    [Fact]
    public void A_share_with_a_damaged_file_still_tells_its_plans_nodes_counters_and_logs_or_says_what_is_wrong()
    {
        int inputs = Setting("NASBACKUP_FUZZ_INPUTS", 100_000) / 50;
        Corpus corpus = Real.Value;
        string[] paths = [.. corpus.Share.Keys.Order(StringComparer.Ordinal)];
        byte[][] all = [.. corpus.Share.Values];
        var failures = new ConcurrentQueue<string>();
        Parallel.For(0, inputs, new ParallelOptions { MaxDegreeOfParallelism = Environment.ProcessorCount }, seed =>
        {
            var random = new Random(seed);
            var files = new Dictionary<string, byte[]>(corpus.Share, StringComparer.Ordinal);
            string path = paths[seed % paths.Length];
            files[path] = new Mutator(random, all).Mutate(files[path]);
            var share = new Share(new MemoryFiles("/root", files), new SleepingRuntime(), Tokens.System);
            var plans = new PlanStore(share);
            Action[] looks =
            [
                () => plans.GetAll(),
                () => PlanStore.Counters(plans.Open(corpus.PlanId)),
                () => new ProgressWatch(plans.Open(corpus.PlanId)).Look(),
                () => new NodeRegistry(share).GetAll(),
                () => new NodeLog(share).ReadAll(),
            ];
            foreach (Action look in looks)
            {
                try
                {
                    look();
                }
                catch (Exception e) when (e is BackupException or FileSystemException && e.Message.Contains("/root", StringComparison.Ordinal))
                {
                    // Refused, and named.
                }
                catch (Exception e)
                {
                    failures.Enqueue($"seed {seed}, {path}: {e}\n{Mutator.Show(files[path])}");
                }
            }
        });

        Assert.True(failures.IsEmpty, string.Join("\n\n", failures.Take(5)));
    }

    [Theory]
    [InlineData("zeros")]
    [InlineData("lines")]
    [InlineData("entries")]
    [InlineData("one line")]
    [InlineData("text")]
    public void A_file_that_unpacks_to_next_to_everything_is_refused_with_bounded_memory(string content)
    {
        Corpus corpus = Real.Value;
        foreach (Parser parser in Parser.All(corpus).Where(parser => parser.HasLines))
        {
            byte[] bomb = Bomb(Mutator.Decompress(parser.Examples[0]), content);
            Assert.True(bomb.Length < 2_000_000, $"A bomb of {bomb.Length} bytes is none.");

            // Entries in a manifest are counted at its end only: they are read, one after the other, and each let go.
            string outcome = Try(parser, bomb, content == "entries" && parser.Name == "manifest" ? long.MaxValue : MostBytesPerInput, out string? failure);

            Assert.Null(failure);
            Assert.Equal("RecordDamaged", outcome);
        }
    }

    /// <summary>The good file's first lines, and behind them a quarter of a gigabyte of nearly nothing.</summary>
    private static byte[] Bomb(byte[] text, string content)
    {
        int lines = Array.IndexOf(text, (byte)'\n', Array.IndexOf(text, (byte)'\n') + 1) + 1;
        byte[] entry = text[(Array.IndexOf(text, (byte)'\n') + 1)..lines];
        byte[] piece = content switch
        {
            "zeros" => new byte[1024 * 1024],
            "lines" => [.. Enumerable.Repeat((byte)'\n', 1024 * 1024)],
            "entries" => [.. Enumerable.Repeat(entry, 1024 * 1024 / entry.Length).SelectMany(bytes => bytes)],
            "one line" => [.. Enumerable.Repeat("{\"a\":["u8.ToArray(), 150_000).SelectMany(bytes => bytes)],
            _ => [.. "{\"path\":\""u8, .. Enumerable.Repeat((byte)'a', 1024 * 1024)],
        };
        using var file = new MemoryStream();
        using (var compressor = new ZstdSharp.CompressionStream(file, 1))
        {
            compressor.Write(text.AsSpan(0, lines));
            for (int i = 0; i < (content == "entries" ? 64 : 256); i++)
            {
                compressor.Write(piece);
            }
        }

        return file.ToArray();
    }

    private static string Try(Parser parser, byte[] input, long mostBytes, out string? failure)
    {
        failure = null;
        var tree = new MemoryFiles("/root", new Dictionary<string, byte[]>(StringComparer.Ordinal) { [parser.Path] = input });
        long before = GC.GetAllocatedBytesForCurrentThread();
        var clock = Stopwatch.StartNew();
        string outcome = "read";
        try
        {
            parser.Read(tree);
        }
        catch (Exception e) when (e is BackupException or FileSystemException)
        {
            outcome = (e as BackupException)?.ErrorId ?? nameof(FileSystemException);
            if (!e.Message.Contains(parser.Path, StringComparison.Ordinal) || (parser.HasLines && !e.Message.Contains(" at line ", StringComparison.Ordinal)))
            {
                failure = $"the message names no file or line: {e.Message}";
            }
        }
        catch (Exception e)
        {
            outcome = e.GetType().Name;
            failure = e.ToString();
        }

        long allocated = GC.GetAllocatedBytesForCurrentThread() - before;
        if (allocated > mostBytes || clock.Elapsed > MostTimePerInput)
        {
            failure ??= $"it took {allocated} bytes and {clock.Elapsed}";
        }

        return outcome;
    }

    private static int Setting(string name, int fallback)
        => int.TryParse(Environment.GetEnvironmentVariable(name), CultureInfo.InvariantCulture, out int value) ? value : fallback;
}
