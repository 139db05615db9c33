using CsCheck;
using NasBackup.Files;
using Xunit;

namespace NasBackup.Tests.Files;

public sealed class FilePathTests
{
    // Backslashes, x and hex digits come often, so that what looks like an escape is met.
    private static readonly Gen<byte[]> Bytes = Gen.OneOf(Gen.Byte, Gen.OneOf([.. "\\x5C0aF/"u8.ToArray().Select(Gen.Const)]), Gen.OneOf([.. new byte[] { 0xC3, 0xA4, 0xF0, 0x9F, 0x98, 0x80 }.Select(Gen.Const)])).Array[0, 40];

    [Fact]
    public void Every_path_as_text_leads_back_to_the_same_bytes()
        => Bytes.Sample(bytes => Assert.Equal(bytes, FilePath.Parse(new FilePath(bytes).ToString()).Bytes.ToArray()), iter: 20_000);

    [Theory]
    [InlineData("Größe/ä", "Größe/ä")]
    [InlineData("a\\b", "a\\b")]
    [InlineData("a\\xyz", "a\\xyz")]
    [InlineData("a\\x41", "a\\x5Cx41")]
    [InlineData("a\\x4\0", "a\\x4\0")]
    public void A_path_of_valid_text_is_shown_as_it_is_but_for_what_looks_like_an_escape(string text, string shown)
    {
        Assert.Equal(shown, FilePath.FromText(text).ToString());
        Assert.Equal(FilePath.FromText(text), FilePath.Parse(shown));
    }

    [Fact]
    public void A_byte_that_is_not_UTF8_is_shown_by_its_number()
        => Assert.Equal("a\\xFFb\\xC3", new FilePath([(byte)'a', 0xFF, (byte)'b', 0xC3]).ToString());

    [Fact]
    public void A_folder_sorts_right_before_what_it_holds()
    {
        FilePath[] paths = [FilePath.FromText("a-b"), FilePath.FromText("a/b"), FilePath.FromText("ab"), FilePath.FromText("a"), FilePath.FromText("a/b/c"), FilePath.Root];
        Array.Sort(paths);
        Assert.Equal(["", "a", "a/b", "a/b/c", "a-b", "ab"], paths.Select(path => path.ToString()));
    }

    [Fact]
    public void A_path_is_below_a_folder_only_at_a_slash()
    {
        Assert.True(FilePath.FromText("a/b").IsAtOrBelow(FilePath.FromText("a")));
        Assert.False(FilePath.FromText("ab").IsAtOrBelow(FilePath.FromText("a")));
    }
}
