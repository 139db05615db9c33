using NasBackup.Files;
using NasBackup.Formats;

namespace NasBackup.Planning;

/// <summary>Reads an entry's fields from the start of a line that is just as <see cref="EntryJson"/> writes it.</summary>
internal static class EntryLine
{
    /// <summary>
    /// Takes the fields up to the comma or brace behind them. Where the line is in any way different, or its name is no text or
    /// has escapes, it is for <see cref="EntryFields.TryRead"/>.
    /// </summary>
    public static bool TryRead(ref LineCursor line, out EntryFields fields)
    {
        fields = default;
        if (!line.Take("{\"path\":\""u8) || !line.TakeString(out ReadOnlySpan<byte> path))
        {
            return false;
        }

        fields.Path = new FilePath(path.ToArray());
        fields.HasPath = true;
        if (line.Take(",\"source\":"u8))
        {
            if (!line.TakeNumber(out uint source) || source > int.MaxValue)
            {
                return false;
            }

            fields.Source = (int)source;
        }

        if (line.Take(",\"kind\":\"file\",\"size\":"u8))
        {
            if (!line.TakeNumber(out ulong size) || size > long.MaxValue)
            {
                return false;
            }

            (fields.Kind, fields.Size) = (EntryKind.File, (long)size);
        }
        else if (line.Take(",\"kind\":\"directory\""u8))
        {
            fields.Kind = EntryKind.Directory;
        }
        else
        {
            return false;
        }

        fields.HasKind = true;
        return TryReadStatus(ref line, ref fields);
    }

    private static bool TryReadStatus(ref LineCursor line, ref EntryFields fields)
    {
        if (!line.Take(",\"mtime\":\""u8) || !line.TakeTime(out fields.ModifiedTime))
        {
            return false;
        }

        if (line.Take("\",\"ctime\":\""u8) && !line.TakeTime(out fields.ChangeTime))
        {
            return false;
        }

        if (!line.Take("\",\"mode\":\""u8) || !line.TakeMode(out fields.Mode)
            || !line.Take("\",\"uid\":"u8) || !line.TakeNumber(out fields.Owner)
            || !line.Take(",\"gid\":"u8) || !line.TakeNumber(out fields.Group))
        {
            return false;
        }

        if (line.Take(",\"inode\":"u8)
            && (!line.TakeNumber(out fields.Inode) || !line.Take(",\"fs\":"u8) || !line.TakeNumber(out fields.FileSystem)))
        {
            return false;
        }

        return !line.Take(",\"links\":"u8) || line.TakeNumber(out fields.Links);
    }
}
