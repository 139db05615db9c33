using NasBackup.Files;

namespace NasBackup.Formats.Tar;

/// <summary>What the headers of one member of an archive say: of the members that <see cref="TarHeader"/> makes.</summary>
internal sealed class TarMember
{
    private const int LongestRecords = 64 * 1024 * 1024;

    private TarMember(FilePath name, FileStatus status, bool isOtherName, byte[] target)
        => (Name, Status, IsOtherName, Target) = (name, status, isOtherName, target);

    /// <summary>Its name in the archive, without the slash of a directory.</summary>
    public FilePath Name { get; }

    /// <summary>Kind, size, owner, mode, times. Inode and file system are 0.</summary>
    public FileStatus Status { get; }

    /// <summary>Whether it is another name of a member before it.</summary>
    public bool IsOtherName { get; }

    /// <summary>What a link points to, or the name that it is another one of.</summary>
    public byte[] Target { get; }

    /// <summary>Where its content begins.</summary>
    public long ContentOffset { get; private init; }

    /// <summary>What of the content is stored, or null where all of it is.</summary>
    public SparseMap? Map { get; private init; }

    /// <summary>Where the next member begins.</summary>
    public long End { get; private init; }

    /// <summary>Reads the headers at a place.</summary>
    /// <param name="bytes">The archive.</param>
    /// <param name="offset">Where they begin.</param>
    /// <param name="limit">Where the member has to end at the latest.</param>
    /// <exception cref="FormatException">There is no such member.</exception>
    /// <exception cref="FileSystemException">The archive cannot be read.</exception>
    public static TarMember Read(VolumeWindow bytes, long offset, long limit)
    {
        Records records = default;
        ReadOnlySpan<byte> block = Block(bytes, offset, limit);
        offset += TarHeader.BlockBytes;
        if (block[156] == (byte)'x')
        {
            long length = Octal(block.Slice(124, 12));
            if (length > LongestRecords || TarHeader.Padded(length) > limit - offset)
            {
                throw new FormatException("its extended header is too long");
            }

            records.Read(bytes.Read(offset, (int)length));
            offset += TarHeader.Padded(length);
            block = Block(bytes, offset, limit);
            offset += TarHeader.BlockBytes;
        }

        FileStatus status = StatusOf(block, records, out bool isOtherName);
        long stored = records.Size ?? Octal(block.Slice(124, 12));
        if (stored < 0 || stored > limit - offset || TarHeader.Padded(stored) > limit - offset)
        {
            throw new FormatException($"its content of {stored} bytes does not fit its place");
        }

        byte[] name = (records.RealName ?? records.Path ?? Text(block[..100])).AsSpan().TrimEnd((byte)'/').ToArray();
        byte[] target = records.LinkPath ?? Text(block.Slice(157, 100));
        long end = offset + TarHeader.Padded(stored);
        SparseMap? map = null;
        if (records.IsSparse)
        {
            long start = offset;
            map = SparseMap.Parse(at => bytes.Some(start + at, end), status.Size, out long mapBytes);
            offset += mapBytes;
            if (mapBytes + map.StoredBytes != stored)
            {
                throw new FormatException("its map of holes does not fit its content");
            }
        }

        return new TarMember(new FilePath(name), status, isOtherName, target) { ContentOffset = offset, Map = map, End = end };
    }

    private static ReadOnlySpan<byte> Block(VolumeWindow bytes, long offset, long limit)
    {
        ReadOnlySpan<byte> block = limit - offset < TarHeader.BlockBytes ? default : bytes.Read(offset, TarHeader.BlockBytes);
        return block.Length == TarHeader.BlockBytes && block.Slice(257, 5).SequenceEqual("ustar"u8) && Octal(block.Slice(148, 8)) == TarHeader.Checksum(block)
            ? block
            : throw new FormatException($"at byte {offset} there is no header");
    }

    private static FileStatus StatusOf(ReadOnlySpan<byte> block, Records records, out bool isOtherName)
    {
        isOtherName = block[156] == (byte)'1';
        EntryKind kind = block[156] switch
        {
            (byte)'0' or (byte)'1' => EntryKind.File,
            (byte)'2' => EntryKind.SymbolicLink,
            (byte)'3' => EntryKind.CharacterDevice,
            (byte)'4' => EntryKind.BlockDevice,
            (byte)'5' => EntryKind.Directory,
            (byte)'6' => EntryKind.Fifo,
            byte type => throw new FormatException($"a member is of the type {type}"),
        };
        long size = records.RealSize ?? records.Size ?? Octal(block.Slice(124, 12));
        var metadata = new FileMetadata(
            records.ModifiedTime ?? (Octal(block.Slice(136, 12)) * 1_000_000_000),
            (int)Octal(block.Slice(100, 8)),
            records.Owner ?? (uint)Octal(block.Slice(108, 8)),
            records.Group ?? (uint)Octal(block.Slice(116, 8)));
        ulong device = kind is EntryKind.CharacterDevice or EntryKind.BlockDevice
            ? LinuxStatus.DeviceNumber((uint)Octal(block.Slice(329, 8)), (uint)Octal(block.Slice(337, 8)))
            : 0;
        return new FileStatus(kind, kind is EntryKind.File ? size : 0, metadata, ChangeTime: 0, Inode: 0, FileSystem: 0, Links: 1, device);
    }

    private static byte[] Text(ReadOnlySpan<byte> field)
    {
        int end = field.IndexOf((byte)0);
        return field[..(end < 0 ? field.Length : end)].ToArray();
    }

    private static long Octal(ReadOnlySpan<byte> field)
    {
        long value = 0;
        foreach (byte digit in field.TrimEnd(" \0"u8))
        {
            value = digit is >= (byte)'0' and <= (byte)'7' ? (value << 3) + digit - '0' : throw new FormatException("a header has a number that is none");
        }

        return value;
    }

    /// <summary>What an extended header says instead of the header behind it.</summary>
    private struct Records
    {
        public byte[]? Path;
        public byte[]? RealName;
        public byte[]? LinkPath;
        public long? Size;
        public long? RealSize;
        public long? ModifiedTime;
        public uint? Owner;
        public uint? Group;
        public bool IsSparse;

        public void Read(ReadOnlySpan<byte> records)
        {
            while (!records.IsEmpty)
            {
                int blank = records.IndexOf((byte)' ');
                if (blank <= 0 || !int.TryParse(records[..blank], out int length) || length <= blank + 1 || length > records.Length || records[length - 1] != '\n')
                {
                    throw new FormatException("its extended header is damaged");
                }

                ReadOnlySpan<byte> record = records[(blank + 1)..(length - 1)];
                int equals = record.IndexOf((byte)'=');
                if (equals < 0)
                {
                    throw new FormatException("its extended header is damaged");
                }

                Take(record[..equals], record[(equals + 1)..]);
                records = records[length..];
            }
        }

        private void Take(ReadOnlySpan<byte> keyword, ReadOnlySpan<byte> value)
        {
            if (keyword.SequenceEqual("path"u8))
            {
                Path = value.ToArray();
            }
            else if (keyword.SequenceEqual("linkpath"u8))
            {
                LinkPath = value.ToArray();
            }
            else if (keyword.SequenceEqual("mtime"u8))
            {
                ModifiedTime = UnixTime.TryParse(value, out long time) ? time : throw new FormatException("a time is none");
            }
            else if (keyword.SequenceEqual("size"u8))
            {
                Size = Number(value);
            }
            else if (keyword.SequenceEqual("uid"u8))
            {
                Owner = checked((uint)Math.Min(Number(value), uint.MaxValue));
            }
            else if (keyword.SequenceEqual("gid"u8))
            {
                Group = checked((uint)Math.Min(Number(value), uint.MaxValue));
            }
            else if (keyword.SequenceEqual("GNU.sparse.name"u8))
            {
                RealName = value.ToArray();
                IsSparse = true;
            }
            else if (keyword.SequenceEqual("GNU.sparse.realsize"u8))
            {
                RealSize = Number(value);
                IsSparse = true;
            }
        }

        private static long Number(ReadOnlySpan<byte> digits)
            => long.TryParse(digits, System.Globalization.NumberStyles.None, System.Globalization.CultureInfo.InvariantCulture, out long number)
                ? number
                : throw new FormatException("its extended header has a number that is none");
    }
}
