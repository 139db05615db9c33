using System.Text;
using System.Text.Json;
using NasBackup.Files;
using NasBackup.Formats;

namespace NasBackup.Coordination;

/// <summary>When something was committed, and how much.</summary>
/// <param name="Time">UTC, by the owner's clock.</param>
/// <param name="Entries">Entries, failed ones included.</param>
/// <param name="Bytes">Bytes that are in the set.</param>
internal readonly record struct CommitTime(DateTime Time, long Entries, long Bytes);

/// <summary>Reads when the batches of a journal were written, for reports.</summary>
internal static class JournalTimes
{
    /// <summary>The dated batches that count, in their order; none where there is no journal.</summary>
    /// <param name="tree">The share.</param>
    /// <param name="path">The journal.</param>
    /// <param name="length">How many bytes of it count.</param>
    /// <exception cref="FileSystemException">It cannot be read.</exception>
    public static IEnumerable<CommitTime> Read(IFileTree tree, FilePath path, long length)
    {
        IFileHandle handle;
        try
        {
            handle = tree.OpenRead(path);
        }
        catch (FileSystemException e) when (e.Problem is FileProblem.NotFound)
        {
            yield break;
        }

        using IFileHandle opened = handle;
        using var lines = new StreamReader(new FileHandleStream(opened), Encoding.UTF8);
        long offset = 0;
        while (offset < length && lines.ReadLine() is { } text)
        {
            byte[] line = Encoding.UTF8.GetBytes(text);
            offset += line.Length + 1;
            if (offset > length || !TryRead(line, out CommitTime? batch))
            {
                yield break;
            }

            if (batch is { } dated)
            {
                yield return dated;
            }
        }
    }

    private static bool TryRead(byte[] line, out CommitTime? batch)
    {
        batch = null;
        if (!SealedJson.TryOpen(line, out ReadOnlySpan<byte> body))
        {
            return false;
        }

        try
        {
            using var json = JsonDocument.Parse(body.ToArray());
            if (json.RootElement.TryGetProperty("time", out JsonElement time))
            {
                JsonElement entries = json.RootElement.GetProperty("entries");
                batch = new CommitTime(
                    time.GetDateTime(),
                    entries.GetArrayLength(),
                    entries.EnumerateArray().Total(static entry => entry.TryGetProperty("size", out JsonElement size) ? size.GetInt64() : 0));
            }

            return true;
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or FormatException or KeyNotFoundException)
        {
            return false;
        }
    }
}
