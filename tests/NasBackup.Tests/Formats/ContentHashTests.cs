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

    [Fact]
    public void A_file_is_hashed_whole_whether_or_not_it_has_holes()
    {
        using var temp = new TempFolder();
        Assert.Equal(0, TempFolder.Run("bash", "-c", $"cd {temp.Path} && truncate -s 5M s && printf x >> s && truncate -s 9M s && head -c 3000000 /dev/urandom > d && : > e"));
        foreach (string name in (string[])["s", "d", "e"])
        {
            using IFileHandle file = temp.Tree.OpenRead(FilePath.FromText(name));
            (Hash128 hash, long size) = ContentHash.OfFile(file, _ => { });
            byte[] bytes = File.ReadAllBytes(Path.Combine(temp.Path, name));
            Assert.Equal((Hash128.Of(bytes), bytes.Length), (hash, size));
        }
    }
}
