using NasBackup.Files;

namespace NasBackup.Coordination;

/// <summary>A record of a plan, or why it cannot be told.</summary>
/// <param name="Name">NODE.INCARNATION, its file's name.</param>
/// <param name="Record">What it says, or null.</param>
/// <param name="Problem">Null, or why it cannot be read; RecordDamaged where the file has no whole record (as for the moment
/// between its making and its first write).</param>
internal sealed record FoundRecord(string Name, RecordDocument? Record, Exception? Problem);

/// <summary>The folder of a plan's records.</summary>
internal static class RecordDirectory
{
    /// <summary>All records, each read fresh, by name; those that cannot be read are among them with their problem.</summary>
    /// <exception cref="FileSystemException">The folder itself cannot be read.</exception>
    public static IReadOnlyList<FoundRecord> Read(PlanFolder folder)
        => [.. folder.Share.ListNames(folder.Records).Select(name => Read(folder, name))];

    private static FoundRecord Read(PlanFolder folder, string name)
    {
        FilePath path = folder.Records.Combine(FilePath.Parse(name));
        try
        {
            RecordDocument? record = RecordFile.Read(folder.Share.Tree, path, folder.Share.Sealer);
            return new FoundRecord(name, record, record is not null ? null : new BackupException(
                ErrorIds.RecordDamaged, ErrorKind.InvalidData, $"The record '{folder.Share.Path}/{path}' is damaged in both places.", name));
        }
        catch (FileSystemException e)
        {
            return new FoundRecord(name, Record: null, e);
        }
    }
}

/// <summary>Tells, look by look, which records move. Only differences of one's own clock are used (promise 5).</summary>
internal sealed class RecordMotion(TimeProvider time)
{
    private readonly Dictionary<string, Seen> _seen = new(StringComparer.Ordinal);
    private bool _hasLooked;

    /// <summary>Takes up what a look has found.</summary>
    public void Note(IReadOnlyList<FoundRecord> records)
    {
        long now = time.GetTimestamp();
        foreach (FoundRecord found in records)
        {
            if (found.Record is not { } record)
            {
                continue;
            }

            if (!_seen.TryGetValue(found.Name, out Seen? seen))
            {
                // One that was not there at the first look has started since.
                _seen.Add(found.Name, new Seen { Beat = record.Beat, ChangedAt = now, HasMoved = _hasLooked });
            }
            else if (seen.Beat != record.Beat)
            {
                (seen.Beat, seen.ChangedAt, seen.HasMoved) = (record.Beat, now, true);
            }
        }

        _hasLooked = true;
    }

    /// <summary>Whether a record was seen to change.</summary>
    public bool HasMoved(FoundRecord found) => _seen.TryGetValue(found.Name, out Seen? seen) && seen.HasMoved;

    /// <summary>How long ago a record changed or was first seen; zero for one that could not be read yet.</summary>
    public TimeSpan Silence(FoundRecord found)
        => _seen.TryGetValue(found.Name, out Seen? seen) ? time.GetElapsedTime(seen.ChangedAt) : TimeSpan.Zero;

    private sealed class Seen
    {
        public long Beat { get; set; }

        public long ChangedAt { get; set; }

        public bool HasMoved { get; set; }
    }
}
