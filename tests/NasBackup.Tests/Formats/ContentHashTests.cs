using System.IO.Hashing;
using NasBackup.Files;
using NasBackup.Formats;
using NasBackup.Tests.Files;

namespace NasBackup.Tests.Formats;

public sealed class ContentHashTests
{
    [Fact]
    public void Zeros_that_are_not_there_hash_like_zeros_that_are()
    {
        var random = new Random(1);
        for (int round = 0; round < 2000; round++)
        {
            var whole = new List<byte>();
            var hash = new ContentHash(hasHoles: true);
            for (int piece = random.Next(5); piece >= 0; piece--)
            {
                int length = random.Next(6) switch { 0 => random.Next(70), 1 => 1024 * random.Next(4), 2 => 64 * random.Next(40), _ => random.Next(5000) };
                var bytes = new byte[length];
                if (random.Next(2) == 0)
                {
                    hash.AppendZeros(length);
                }
                else
                {
                    random.NextBytes(bytes);
                    hash.Append(bytes);
                }

                whole.AddRange(bytes);
            }

            Assert.Equal(Hash128.Of([.. whole]), hash.Current);
        }
    }

    [Fact]
    public void A_huge_hole_has_the_same_hash_at_once_and_in_pieces()
    {
        const long Length = 1L << 36;
        var whole = new ContentHash(hasHoles: true);
        whole.AppendZeros(Length);
        var pieces = new ContentHash(hasHoles: true);
        pieces.AppendZeros(1);
        pieces.AppendZeros((Length / 3) - 1);
        pieces.Append(new byte[1_000_003]);
        pieces.AppendZeros(Length - (Length / 3) - 1_000_003);

        Assert.Equal(whole.Current, pieces.Current);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Each_segment_is_compared_for_itself_and_what_is_wrong_is_named(bool hasHoles)
    {
        var random = new Random(3);
        var bytes = new byte[10_000];
        random.NextBytes(bytes.AsSpan(0, 9_000));
        long[] bounds = [0, 1, 4096, 4097, 9_500, 10_000];
        SegmentHash[] segments = [.. bounds.Zip(bounds.Skip(1), (from, to) => new SegmentHash(from, to - from, Hash128.Of(bytes.AsSpan((int)from, (int)(to - from)))))];

        Assert.Null(Compare(bytes));
        Assert.Contains("ends at byte 9600", Compare(bytes[..9_600]), StringComparison.Ordinal);
        Assert.Contains("ends at byte 0", Compare([]), StringComparison.Ordinal);
        Assert.Contains("but at byte 10001", Compare([.. bytes, 0]), StringComparison.Ordinal);
        bytes[4096] ^= 1;
        Assert.Contains("segment of 1 bytes at 4096 has the hash", Compare(bytes), StringComparison.Ordinal);

        string? Compare(byte[] content)
        {
            var hash = new ContentHash(hasHoles, segments);
            int end = hasHoles ? Math.Min(content.Length, 9_000) : content.Length;
            for (int at = 0; at < end;)
            {
                int count = Math.Min(end - at, random.Next(1, 6_000));
                hash.Append(content.AsSpan(at, count));
                at += count;
            }

            if (hasHoles)
            {
                hash.AppendZeros(content.Length - end);
            }

            return hash.WhyNot(null);
        }
    }

    [Fact]
    public void A_file_is_hashed_whole_whether_or_not_it_has_holes()
    {
        using var temp = new TempFolder();
        Assert.Equal(0, TempFolder.Run("bash", "-c", $"cd {temp.Path} && truncate -s 5M s && printf x >> s && truncate -s 9M s && head -c 3000000 /dev/urandom > d && : > e"));
        foreach (string name in (string[])["s", "d", "e"])
        {
            using IFileHandle file = temp.Tree.OpenRead(FilePath.FromText(name));
            (ContentHash hash, long size) = ContentHash.OfFile(file, _ => { });
            byte[] bytes = File.ReadAllBytes(Path.Combine(temp.Path, name));
            Assert.Equal((Hash128.Of(bytes), bytes.Length), (hash.Current, size));
        }
    }
}
