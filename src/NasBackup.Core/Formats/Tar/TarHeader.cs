using System.Buffers.Binary;
using System.Buffers.Text;
using System.Numerics;
using System.Runtime.InteropServices;
using NasBackup.Files;

namespace NasBackup.Formats.Tar;

/// <summary>
/// Makes the blocks that stand before a member's content in a tar archive: of the pax format (POSIX.1-2001), with the
/// extended attributes and ACLs of star and GNU tar, and holes as "GNU sparse 1.0". What does not fit an old header stands in
/// records of an extended one; names are bytes and are not converted. For one thread; what comes out is overwritten by the
/// next call.
/// </summary>
internal sealed class TarHeader
{
    /// <summary>Everything in an archive is a multiple of this.</summary>
    public const int BlockBytes = 512;

    /// <summary>Two blocks of zeros end an archive.</summary>
    public const int EndBytes = 2 * BlockBytes;

    private const int NameBytes = 100;
    private const int LongestNumber = 20;
    private const ulong LargestOwner = 0x1FFFFF;
    private const long LargestSize = (1L << 33) - 1;

    private byte[] _blocks = new byte[8 * BlockBytes];
    private int _length;

    /// <summary>A length, filled up to whole blocks.</summary>
    public static long Padded(long length) => (length + BlockBytes - 1) & ~(long)(BlockBytes - 1);

    /// <summary>The header of a file, directory, link, FIFO or device node.</summary>
    /// <param name="name">Its name in the archive; of a directory with a slash at the end.</param>
    /// <param name="status">Kind, size, owner, mode, times.</param>
    /// <param name="attributes">Its extended attributes, ACLs among them, or null.</param>
    /// <param name="target">What a symbolic link points to.</param>
    /// <param name="map">Of a file with holes: what of it follows, behind <see cref="SparseMap.ToBlocks"/>.</param>
    /// <param name="mapBytes">How many bytes the map takes.</param>
    public ReadOnlySpan<byte> Of(
        ReadOnlySpan<byte> name, in FileStatus status, ExtendedAttributes? attributes = null, ReadOnlySpan<byte> target = default, SparseMap? map = null, int mapBytes = 0)
    {
        Begin();
        AddStatus(status);
        long stored = status.Kind is EntryKind.File ? status.Size : 0;
        if (map is not null)
        {
            stored = mapBytes + map.StoredBytes;
            AddRecord("GNU.sparse.major"u8, "1"u8);
            AddRecord("GNU.sparse.minor"u8, "0"u8);
            AddRecord("GNU.sparse.name"u8, name);
            AddNumber("GNU.sparse.realsize"u8, (ulong)status.Size);
            name = "GNUSparseFile.0/file"u8;
        }

        AddName("path"u8, name);
        AddName("linkpath"u8, target);
        if (stored > LargestSize)
        {
            AddNumber("size"u8, (ulong)stored);
        }

        foreach (ExtendedAttribute attribute in attributes?.Items ?? [])
        {
            AddAttribute(attribute);
        }

        return End(TypeOf(status.Kind), name, target, status, stored);
    }

    /// <summary>The header of another name of a member that stands before it in the same archive.</summary>
    /// <param name="name">The other name.</param>
    /// <param name="first">The name of the member.</param>
    /// <param name="status">The member's status.</param>
    public ReadOnlySpan<byte> OfOtherName(ReadOnlySpan<byte> name, ReadOnlySpan<byte> first, in FileStatus status)
    {
        Begin();
        AddStatus(status);
        AddName("path"u8, name);
        AddName("linkpath"u8, first);
        return End((byte)'1', name, first, status, stored: 0);
    }

    private static byte TypeOf(EntryKind kind) => kind switch
    {
        EntryKind.SymbolicLink => (byte)'2',
        EntryKind.CharacterDevice => (byte)'3',
        EntryKind.BlockDevice => (byte)'4',
        EntryKind.Directory => (byte)'5',
        EntryKind.Fifo => (byte)'6',
        _ => (byte)'0',
    };

    /// <summary>Leaves room for the header of the records.</summary>
    private void Begin() => _length = BlockBytes;

    private ReadOnlySpan<byte> End(byte type, ReadOnlySpan<byte> name, ReadOnlySpan<byte> target, in FileStatus status, long stored)
    {
        int start = BlockBytes;
        if (_length > BlockBytes)
        {
            int records = _length - BlockBytes;
            Fill(_blocks.AsSpan(0, BlockBytes), (byte)'x', "PaxHeaders/x"u8, default, default, records);
            int padded = (int)Padded(records);
            Room(padded - records).Clear();
            start = 0;
        }

        Fill(Room(BlockBytes), type, name, target, status, stored);
        return _blocks.AsSpan(start, _length - start);
    }

    private static void Fill(Span<byte> block, byte type, ReadOnlySpan<byte> name, ReadOnlySpan<byte> target, in FileStatus status, long stored)
    {
        block.Clear();
        name[..Math.Min(name.Length, NameBytes)].CopyTo(block);
        Octal(block.Slice(100, 8), (ulong)status.Metadata.Mode);
        Octal(block.Slice(108, 8), status.Metadata.Owner);
        Octal(block.Slice(116, 8), status.Metadata.Group);
        Octal(block.Slice(124, 12), (ulong)stored);
        Octal(block.Slice(136, 12), (ulong)Math.Max(0, status.Metadata.ModifiedTime / 1_000_000_000));
        block[156] = type;
        target[..Math.Min(target.Length, NameBytes)].CopyTo(block[157..]);
        "ustar\00000"u8[..8].CopyTo(block[257..]);
        Octal(block.Slice(329, 8), Major(status.DeviceNumber));
        Octal(block.Slice(337, 8), Minor(status.DeviceNumber));
        uint sum = Checksum(block);
        Octal(block.Slice(148, 7), sum);
        block[155] = (byte)' ';
    }

    /// <summary>The sum of a header's bytes, those of the sum itself taken for blanks.</summary>
    public static uint Checksum(ReadOnlySpan<byte> block)
    {
        const ulong Even = 0x00FF00FF00FF00FF;
        ulong low = 0;
        ulong high = 0;
        foreach (ulong eight in MemoryMarshal.Cast<byte, ulong>(block[..BlockBytes]))
        {
            low += eight & Even;
            high += (eight >> 8) & Even;
        }

        uint sum = 0;
        for (int shift = 0; shift < 64; shift += 16)
        {
            sum += (uint)((low >> shift) & 0xFFFF) + (uint)((high >> shift) & 0xFFFF);
        }

        foreach (byte own in block.Slice(148, 8))
        {
            sum += (uint)(' ' - own);
        }

        return sum;
    }

    /// <summary>As libc takes a device number apart.</summary>
    private static ulong Major(ulong device) => ((device >> 8) & 0xFFF) | ((device >> 32) & 0xFFFFF000);

    private static ulong Minor(ulong device) => (device & 0xFF) | ((device >> 12) & 0xFFFFFF00);

    /// <summary>Digits and a NUL; 0 for what does not fit, which stands in a record then.</summary>
    private static void Octal(Span<byte> field, ulong value)
    {
        int digits = field.Length - 1;
        if (value >> (3 * digits) != 0)
        {
            value = 0;
        }

        for (int i = digits - 1; i >= 0; i--, value >>= 3)
        {
            field[i] = (byte)('0' + (value & 7));
        }
    }

    private void AddStatus(in FileStatus status)
    {
        long time = status.Metadata.ModifiedTime;
        if (time < 0 || time % 1_000_000_000 != 0 || time / 1_000_000_000 > LargestSize)
        {
            Span<byte> text = stackalloc byte[UnixTime.LongestText];
            AddRecord("mtime"u8, text[..UnixTime.Format(time, text)]);
        }

        if (status.Metadata.Owner > LargestOwner)
        {
            AddNumber("uid"u8, status.Metadata.Owner);
        }

        if (status.Metadata.Group > LargestOwner)
        {
            AddNumber("gid"u8, status.Metadata.Group);
        }
    }

    /// <summary>What is text but not ASCII stands in a record too, which is known to be UTF-8; other bytes only where there is
    /// no room for them in the header, for some readers convert records.</summary>
    private void AddName(ReadOnlySpan<byte> field, ReadOnlySpan<byte> name)
    {
        if (name.Length > NameBytes || (!System.Text.Ascii.IsValid(name) && System.Text.Unicode.Utf8.IsValid(name)))
        {
            AddRecord(field, name);
        }
    }

    private void AddAttribute(in ExtendedAttribute attribute)
    {
        if (attribute.IsAcl)
        {
            byte[]? text = AclText.Of(attribute.Value);
            if (text is not null)
            {
                AddRecord(attribute.Name.Bytes.EndsWith("_default"u8) ? "SCHILY.acl.default"u8 : "SCHILY.acl.access"u8, text);
                return;
            }
        }

        // A keyword ends at the first '='; GNU tar takes %3D for one that belongs to it, and %25 for a percent sign.
        ReadOnlySpan<byte> name = attribute.Name.Bytes;
        var keyword = new byte["SCHILY.xattr."u8.Length + (3 * name.Length)];
        "SCHILY.xattr."u8.CopyTo(keyword);
        int length = "SCHILY.xattr."u8.Length;
        foreach (byte part in name)
        {
            ReadOnlySpan<byte> coded = part == '=' ? "%3D"u8 : part == '%' ? "%25"u8 : [part];
            coded.CopyTo(keyword.AsSpan(length));
            length += coded.Length;
        }

        AddRecord(keyword.AsSpan(0, length), attribute.Value);
    }

    private void AddNumber(ReadOnlySpan<byte> keyword, ulong number)
    {
        Span<byte> digits = stackalloc byte[LongestNumber];
        Utf8Formatter.TryFormat(number, digits, out int length);
        AddRecord(keyword, digits[..length]);
    }

    /// <summary>"LENGTH KEYWORD=VALUE\n", where the length counts its own digits.</summary>
    private void AddRecord(ReadOnlySpan<byte> keyword, ReadOnlySpan<byte> value)
    {
        int rest = keyword.Length + value.Length + 3;
        int digits = 1;
        for (int limit = 10; rest + digits >= limit; limit *= 10)
        {
            digits++;
        }

        Span<byte> record = Room(rest + digits);
        Utf8Formatter.TryFormat(rest + digits, record, out int at);
        record[at++] = (byte)' ';
        keyword.CopyTo(record[at..]);
        at += keyword.Length;
        record[at++] = (byte)'=';
        value.CopyTo(record[at..]);
        record[^1] = (byte)'\n';
    }

    private Span<byte> Room(int bytes)
    {
        if (_length + bytes > _blocks.Length)
        {
            Array.Resize(ref _blocks, (int)BitOperations.RoundUpToPowerOf2((uint)(_length + bytes)));
        }

        Span<byte> room = _blocks.AsSpan(_length, bytes);
        _length += bytes;
        return room;
    }
}

/// <summary>A POSIX ACL as text, with numbers for users and groups: what archives keep.</summary>
internal static class AclText
{
    private const int HeadBytes = 4;
    private const int EntryBytes = 8;
    private const uint Version = 2;

    /// <summary>From what the system keeps as an extended attribute; null where it is of another version.</summary>
    public static byte[]? Of(ReadOnlySpan<byte> value)
    {
        if (value.Length < HeadBytes || (value.Length - HeadBytes) % EntryBytes != 0 || BinaryPrimitives.ReadUInt32LittleEndian(value) != Version)
        {
            return null;
        }

        var text = new System.Text.StringBuilder();
        for (ReadOnlySpan<byte> entry = value[HeadBytes..]; !entry.IsEmpty; entry = entry[EntryBytes..])
        {
            uint id = BinaryPrimitives.ReadUInt32LittleEndian(entry[4..]);
            ushort permissions = BinaryPrimitives.ReadUInt16LittleEndian(entry[2..]);
            string? who = BinaryPrimitives.ReadUInt16LittleEndian(entry) switch
            {
                0x01 => "user::",
                0x02 => string.Create(System.Globalization.CultureInfo.InvariantCulture, $"user:{id}:"),
                0x04 => "group::",
                0x08 => string.Create(System.Globalization.CultureInfo.InvariantCulture, $"group:{id}:"),
                0x10 => "mask::",
                0x20 => "other::",
                _ => null,
            };
            if (who is null)
            {
                return null;
            }

            text.Append(text.Length == 0 ? "" : ",").Append(who)
                .Append((permissions & 4) != 0 ? 'r' : '-').Append((permissions & 2) != 0 ? 'w' : '-').Append((permissions & 1) != 0 ? 'x' : '-');
        }

        return System.Text.Encoding.ASCII.GetBytes(text.ToString());
    }
}
