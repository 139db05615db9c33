using System.Buffers.Binary;
using System.IO.Hashing;

namespace NasBackup.Formats;

/// <summary>
/// XXH128 with a way to append zeros without having them: some ten cycles per kilobyte, so that a hole of 2^40 bytes is
/// seconds. The algorithm is the published one of the XXH3 family (128 bits, seed 0, default secret); for bytes that are
/// there the library's is faster.
/// </summary>
internal sealed class SparseHash
{
    /// <summary>How many zeros to append between two looks at whether to go on: some tens of milliseconds.</summary>
    public const long ZerosAtOnce = 4L * 1024 * 1024 * 1024;

    private const int StripeBytes = 64;
    private const int StripesPerBlock = 16;
    private const int BlockBytes = StripeBytes * StripesPerBlock;
    private const int Lanes = 8;
    private const int ShortInput = 240;
    private const int SecretBytes = 192;

    private const ulong Prime32A = 0x9E3779B1;
    private const ulong Prime32B = 0x85EBCA77;
    private const ulong Prime32C = 0xC2B2AE3D;
    private const ulong Prime64A = 0x9E3779B185EBCA87;
    private const ulong Prime64B = 0xC2B2AE3D27D4EB4F;
    private const ulong Prime64C = 0x165667B19E3779F9;
    private const ulong Prime64D = 0x85EBCA77C2B2AE63;
    private const ulong Prime64E = 0x27D4EB2F165667C5;

    // Bytes 0 to 63: the end of the block before, since the last stripe may reach back into it. Behind it: the block that is being filled.
    private readonly byte[] _buffer = new byte[StripeBytes + BlockBytes];
    private readonly ulong[] _lanes = [Prime32C, Prime64A, Prime64B, Prime64C, Prime64D, Prime32B, Prime64E, Prime32A];
    private int _filled;
    private ulong _length;

    private static ReadOnlySpan<byte> Secret =>
    [
        0xb8, 0xfe, 0x6c, 0x39, 0x23, 0xa4, 0x4b, 0xbe, 0x7c, 0x01, 0x81, 0x2c, 0xf7, 0x21, 0xad, 0x1c, 0xde, 0xd4, 0x6d, 0xe9, 0x83, 0x90, 0x97, 0xdb,
        0x72, 0x40, 0xa4, 0xa4, 0xb7, 0xb3, 0x67, 0x1f, 0xcb, 0x79, 0xe6, 0x4e, 0xcc, 0xc0, 0xe5, 0x78, 0x82, 0x5a, 0xd0, 0x7d, 0xcc, 0xff, 0x72, 0x21,
        0xb8, 0x08, 0x46, 0x74, 0xf7, 0x43, 0x24, 0x8e, 0xe0, 0x35, 0x90, 0xe6, 0x81, 0x3a, 0x26, 0x4c, 0x3c, 0x28, 0x52, 0xbb, 0x91, 0xc3, 0x00, 0xcb,
        0x88, 0xd0, 0x65, 0x8b, 0x1b, 0x53, 0x2e, 0xa3, 0x71, 0x64, 0x48, 0x97, 0xa2, 0x0d, 0xf9, 0x4e, 0x38, 0x19, 0xef, 0x46, 0xa9, 0xde, 0xac, 0xd8,
        0xa8, 0xfa, 0x76, 0x3f, 0xe3, 0x9c, 0x34, 0x3f, 0xf9, 0xdc, 0xbb, 0xc7, 0xc7, 0x0b, 0x4f, 0x1d, 0x8a, 0x51, 0xe0, 0x4b, 0xcd, 0xb4, 0x59, 0x31,
        0xc8, 0x9f, 0x7e, 0xc9, 0xd9, 0x78, 0x73, 0x64, 0xea, 0xc5, 0xac, 0x83, 0x34, 0xd3, 0xeb, 0xc3, 0xc5, 0x81, 0xa0, 0xff, 0xfa, 0x13, 0x63, 0xeb,
        0x17, 0x0d, 0xdd, 0x51, 0xb7, 0xf0, 0xda, 0x49, 0xd3, 0x16, 0x55, 0x26, 0x29, 0xd4, 0x68, 0x9e, 0x2b, 0x16, 0xbe, 0x58, 0x7d, 0x47, 0xa1, 0xfc,
        0x8f, 0xf8, 0xb8, 0xd1, 0x7a, 0xd0, 0x31, 0xce, 0x45, 0xcb, 0x3a, 0x8f, 0x95, 0x16, 0x04, 0x28, 0xaf, 0xd7, 0xfb, 0xca, 0xbb, 0x4b, 0x40, 0x7e,
    ];

    /// <summary>The hash of all that was appended; more may be appended afterwards.</summary>
    public Hash128 Current
    {
        get
        {
            if (_length <= ShortInput)
            {
                return Hash128.Of(_buffer.AsSpan(StripeBytes, (int)_length));
            }

            Span<ulong> lanes = stackalloc ulong[Lanes];
            _lanes.CopyTo(lanes);
            int stripes = (_filled - 1) / StripeBytes;
            for (int stripe = 0; stripe < stripes; stripe++)
            {
                Accumulate(lanes, _buffer.AsSpan(StripeBytes + (stripe * StripeBytes)), Secret[(stripe * 8)..]);
            }

            Accumulate(lanes, _buffer.AsSpan(_filled), Secret[(SecretBytes - StripeBytes - 7)..]);
            return new Hash128(
                Merge(lanes, Secret[(SecretBytes - StripeBytes - 11)..], ~(_length * Prime64B)),
                Merge(lanes, Secret[11..], _length * Prime64A));
        }
    }

    public void Append(ReadOnlySpan<byte> bytes)
    {
        _length += (ulong)bytes.Length;
        while (!bytes.IsEmpty)
        {
            MakeRoom();
            int count = Math.Min(bytes.Length, BlockBytes - _filled);
            bytes[..count].CopyTo(_buffer.AsSpan(StripeBytes + _filled));
            _filled += count;
            bytes = bytes[count..];
        }
    }

    /// <summary>Appends that many zeros.</summary>
    public void AppendZeros(long count)
    {
        _length += (ulong)count;
        while (count > 0)
        {
            MakeRoom();
            // The last block stays in the buffer, whole or not: the hash ends with it.
            if (_filled == 0 && count > BlockBytes)
            {
                long blocks = (count - 1) / BlockBytes;
                ConsumeZeroBlocks(blocks);
                _buffer.AsSpan().Clear();
                count -= blocks * BlockBytes;
            }

            int rest = (int)Math.Min(count, BlockBytes - _filled);
            _buffer.AsSpan(StripeBytes + _filled, rest).Clear();
            _filled += rest;
            count -= rest;
        }
    }

    /// <summary>A full block is worked off only when something follows.</summary>
    private void MakeRoom()
    {
        if (_filled < BlockBytes)
        {
            return;
        }

        for (int stripe = 0; stripe < StripesPerBlock; stripe++)
        {
            Accumulate(_lanes, _buffer.AsSpan(StripeBytes + (stripe * StripeBytes)), Secret[(stripe * 8)..]);
        }

        Scramble(_lanes);
        _buffer.AsSpan(BlockBytes, StripeBytes).CopyTo(_buffer);
        _filled = 0;
    }

    /// <summary>A stripe of zeros adds to each lane a number that does not depend on what was before, so a block of them does.</summary>
    private void ConsumeZeroBlocks(long blocks)
    {
        Span<ulong> added = stackalloc ulong[Lanes];
        added.Clear();
        Span<byte> zeros = stackalloc byte[StripeBytes];
        zeros.Clear();
        for (int stripe = 0; stripe < StripesPerBlock; stripe++)
        {
            Accumulate(added, zeros, Secret[(stripe * 8)..]);
        }

        // One lane after the other would wait for each multiplication; four at a time keep the processor busy.
        for (int lane = 0; lane < Lanes; lane += 4)
        {
            (ulong a, ulong b, ulong c, ulong d) = (_lanes[lane], _lanes[lane + 1], _lanes[lane + 2], _lanes[lane + 3]);
            (ulong addA, ulong addB, ulong addC, ulong addD) = (added[lane], added[lane + 1], added[lane + 2], added[lane + 3]);
            (ulong keyA, ulong keyB, ulong keyC, ulong keyD) = (ScrambleKey(lane), ScrambleKey(lane + 1), ScrambleKey(lane + 2), ScrambleKey(lane + 3));
            for (long block = 0; block < blocks; block++)
            {
                a += addA;
                b += addB;
                c += addC;
                d += addD;
                a = (a ^ (a >> 47) ^ keyA) * Prime32A;
                b = (b ^ (b >> 47) ^ keyB) * Prime32A;
                c = (c ^ (c >> 47) ^ keyC) * Prime32A;
                d = (d ^ (d >> 47) ^ keyD) * Prime32A;
            }

            (_lanes[lane], _lanes[lane + 1], _lanes[lane + 2], _lanes[lane + 3]) = (a, b, c, d);
        }
    }

    private static void Accumulate(Span<ulong> lanes, ReadOnlySpan<byte> stripe, ReadOnlySpan<byte> secret)
    {
        for (int lane = 0; lane < Lanes; lane++)
        {
            ulong value = Read(stripe, lane * 8);
            ulong keyed = value ^ Read(secret, lane * 8);
            lanes[lane ^ 1] += value;
            lanes[lane] += (uint)keyed * (keyed >> 32);
        }
    }

    private static void Scramble(Span<ulong> lanes)
    {
        for (int lane = 0; lane < Lanes; lane++)
        {
            lanes[lane] = (lanes[lane] ^ (lanes[lane] >> 47) ^ ScrambleKey(lane)) * Prime32A;
        }
    }

    private static ulong ScrambleKey(int lane) => Read(Secret, SecretBytes - StripeBytes + (lane * 8));

    private static ulong Merge(ReadOnlySpan<ulong> lanes, ReadOnlySpan<byte> secret, ulong start)
    {
        ulong merged = start;
        for (int lane = 0; lane < Lanes; lane += 2)
        {
            ulong high = Math.BigMul(lanes[lane] ^ Read(secret, lane * 8), lanes[lane + 1] ^ Read(secret, (lane * 8) + 8), out ulong low);
            merged += high ^ low;
        }

        merged ^= merged >> 37;
        merged *= 0x165667919E3779F9;
        return merged ^ (merged >> 32);
    }

    private static ulong Read(ReadOnlySpan<byte> bytes, int at) => BinaryPrimitives.ReadUInt64LittleEndian(bytes[at..]);
}
