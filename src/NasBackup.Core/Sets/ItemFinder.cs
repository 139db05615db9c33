using NasBackup.Files;

namespace NasBackup.Sets;

/// <summary>Finds names in sets. Manifests pass as streams and are never held whole.</summary>
internal sealed class ItemFinder
{
    private readonly ItemQuery _query;
    private readonly ItemPattern[] _patterns;
    private readonly long _after;
    private readonly long _before;

    /// <summary>Takes up a question.</summary>
    /// <exception cref="BackupException">PatternInvalid.</exception>
    public ItemFinder(ItemQuery query)
    {
        _query = query;
        _patterns = [.. query.Path.Select(ItemPattern.Parse)];
        _after = query.ModifiedAfter is { } after ? Nanoseconds(after) : long.MinValue;
        _before = query.ModifiedBefore is { } before ? Nanoseconds(before) : long.MaxValue;
    }

    /// <summary>What of a set matches, in the manifest's order; each name is an item of its own. Entries that failed are not in
    /// the set.</summary>
    /// <exception cref="BackupException">ManifestDamaged, ManifestMissing.</exception>
    public IEnumerable<BackupItem> Find(OpenSet set, string device)
    {
        var names = new SourceNames(set.Document);
        using ManifestReader manifest = set.OpenManifest();
        foreach (ManifestEntry entry in manifest.Entries())
        {
            if (entry.IsFailed || !IsWanted(entry.Entry))
            {
                continue;
            }

            foreach (FilePath name in new[] { entry.Entry.Path }.Concat(entry.Entry.OtherNames ?? []))
            {
                if (_patterns.Length == 0
                    || Array.Exists(_patterns, pattern => pattern.IsMatch(names.Of(entry.Entry.Source), name, entry.Entry.Kind is EntryKind.Directory)))
                {
                    yield return ToItem(set, device, entry, name);
                }
            }
        }
    }

    private bool IsWanted(Entry entry)
        => (_query.Kind.Count == 0 || _query.Kind.Contains(entry.Kind))
        && entry.Size >= (_query.MinSize ?? 0)
        && entry.Size <= (_query.MaxSize ?? long.MaxValue)
        && (_query.MinSize is null || entry.Kind is EntryKind.File)
        && entry.Status.Metadata.ModifiedTime >= _after
        && entry.Status.Metadata.ModifiedTime <= _before;

    private static BackupItem ToItem(OpenSet set, string device, in ManifestEntry entry, FilePath name)
    {
        Entry found = entry.Entry;
        string path = set.PathOf(found.Source, name);
        return new BackupItem
        {
            SetId = set.Document.Id,
            Device = device,
            Path = path,
            Name = name.IsRoot ? path[(path.LastIndexOf('/') + 1)..] : FilePath.Display(name.Name),
            Kind = found.Kind,
            Size = found.Size,
            ModifiedTime = ToDateTime(found.Status.Metadata.ModifiedTime),
            Mode = Convert.ToString(found.Status.Metadata.Mode, 8).PadLeft(4, '0'),
            Owner = found.Status.Metadata.Owner,
            Group = found.Status.Metadata.Group,
            Hash = entry.Hash?.ToString(),
            SegmentHashes = [.. (entry.Segments ?? []).Select(static segment => $"{segment.Offset} {segment.Length} {segment.Hash}")],
            DataPath = name.HasOnlyNames || name.IsRoot ? $"{set.Tree.RootPath}/{set.Content.Locate(entry, name)}" : "",
            SetCreatedAt = set.Document.CreatedAt,
        };
    }

    private static DateTime ToDateTime(long nanoseconds)
    {
        long ticks = DateTime.UnixEpoch.Ticks + (nanoseconds / 100) - (nanoseconds % 100 < 0 ? 1 : 0);
        return new DateTime(Math.Clamp(ticks, DateTime.MinValue.Ticks, DateTime.MaxValue.Ticks), DateTimeKind.Utc);
    }

    private static long Nanoseconds(DateTime time)
    {
        decimal nanoseconds = (time.ToUniversalTime().Ticks - DateTime.UnixEpoch.Ticks) * 100m;
        return (long)Math.Clamp(nanoseconds, long.MinValue, long.MaxValue);
    }
}
