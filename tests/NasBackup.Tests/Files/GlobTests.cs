using System.Diagnostics;
using CsCheck;
using NasBackup.Files;
using Xunit;

namespace NasBackup.Tests.Files;

public sealed class GlobTests
{
    [Theory]
    // Names at any depth
    [InlineData("*.tmp", "a/b/x.tmp", true)]
    [InlineData("*.tmp", "x.tmp/file", false)]
    [InlineData("node_modules", "a/node_modules", true)]
    [InlineData("node_modules", "a/node_modules2", false)]
    [InlineData("*", "a/b", true)]
    [InlineData("a*c*e", "abcde", true)]
    [InlineData("a*c*e", "abcdef", false)]
    // Anchored paths
    [InlineData("/build", "build", true)]
    [InlineData("/build", "a/build", false)]
    [InlineData("a/*.c", "a/x.c", true)]
    [InlineData("a/*.c", "a/b/x.c", false)]
    [InlineData("a/*.c", "b/a/x.c", false)]
    // Across folders
    [InlineData("**/x", "x", true)]
    [InlineData("**/x", "a/b/x", true)]
    [InlineData("**/x", "a/bx", false)]
    [InlineData("a/**/z", "a/z", true)]
    [InlineData("a/**/z", "a/b/c/z", true)]
    [InlineData("a/**/z", "a/bz", false)]
    [InlineData("a/**", "a/b/c", true)]
    [InlineData("a/**", "a", false)]
    [InlineData("/a**z", "a/b/z", true)]
    [InlineData("**/a/**/*.o", "x/a/y/z/k.o", true)]
    // Characters
    [InlineData("?", "ä", true)]
    [InlineData("?", "\\xFF", true)]
    [InlineData("??", "ä", false)]
    [InlineData("a?b", "a/b", false)]
    [InlineData("/a?b", "a/b", false)]
    [InlineData("[a-c]x", "bx", true)]
    [InlineData("[!a-c]x", "bx", false)]
    [InlineData("[!a-c]x", "dx", true)]
    [InlineData("[ä-ü]", "ö", true)]
    [InlineData("[]-]", "]", true)]
    [InlineData("[]-]", "-", true)]
    [InlineData("/a[!b]c", "a/c", false)]
    // Escapes
    [InlineData("\\*", "*", true)]
    [InlineData("\\*", "x", false)]
    [InlineData("\\xFF*", "\\xFFabc", true)]
    [InlineData("\\xC3\\xA4", "ä", true)]
    [InlineData("[\\xF0-\\xFF]", "\\xF5", true)]
    public void A_pattern_matches_what_it_says(string pattern, string path, bool matches)
        => Assert.Equal(matches, Glob.Parse(pattern).IsMatch(FilePath.Parse(path), isDirectory: false));

    [Fact]
    public void A_slash_at_the_end_means_folders_only()
    {
        Assert.True(Glob.Parse("cache/").IsMatch(FilePath.FromText("a/cache"), isDirectory: true));
        Assert.False(Glob.Parse("cache/").IsMatch(FilePath.FromText("a/cache"), isDirectory: false));
    }

    [Theory]
    [InlineData("")]
    [InlineData("/")]
    [InlineData("[abc")]
    [InlineData("[]")]
    public void A_pattern_that_cannot_be_read_is_refused_by_name(string pattern)
        => Assert.Contains(pattern, Assert.Throws<FormatException>(() => Glob.Parse(pattern)).Message, StringComparison.Ordinal);

    [Fact]
    public void A_hostile_pattern_takes_no_longer_than_its_length_warrants()
    {
        Glob glob = Glob.Parse("/" + string.Concat(Enumerable.Repeat("**/*a*", 40)) + "b");
        FilePath path = FilePath.FromText(string.Join('/', Enumerable.Repeat(new string('a', 200), 20)));
        var watch = Stopwatch.StartNew();
        Assert.False(glob.IsMatch(path, isDirectory: false));
        Assert.InRange(watch.Elapsed.TotalSeconds, 0, 5);
    }

    [Fact]
    public void Stars_and_question_marks_agree_with_a_plain_recursive_matcher()
    {
        Gen<string> patterns = OneOf("a", "b", "/", "*", "**", "**/", "?").Array[1, 7].Select(string.Concat);
        Gen<string> paths = OneOf("a", "b", "ab", "aab").Array[1, 4].Select(parts => string.Join('/', parts));
        Gen.Select(patterns, paths).Where((pattern, _) => !pattern.Contains("***") && pattern.Trim('/').Length > 0).Sample(
            (pattern, path) =>
            {
                string body = pattern.Trim('/');
                bool nameOnly = !pattern.TrimEnd('/').Contains('/');
                Assert.Equal(Recursive(body, 0, nameOnly ? path[(path.LastIndexOf('/') + 1)..] : path, 0), Glob.Parse(pattern).IsMatch(FilePath.FromText(path), isDirectory: true));
            },
            iter: 20_000);
    }

    private static Gen<string> OneOf(params string[] values) => Gen.OneOf([.. values.Select(Gen.Const)]);

    private static bool Recursive(string pattern, int p, string text, int t)
    {
        if (p == pattern.Length)
        {
            return t == text.Length;
        }

        if (string.CompareOrdinal(pattern, p, "**/", 0, 3) == 0 && (p == 0 || pattern[p - 1] == '/'))
        {
            return Enumerable.Range(t, text.Length - t + 1).Any(at => (at == t || text[at - 1] == '/') && Recursive(pattern, p + 3, text, at));
        }

        if (string.CompareOrdinal(pattern, p, "**", 0, 2) == 0)
        {
            return Enumerable.Range(t, text.Length - t + 1).Any(at => Recursive(pattern, p + 2, text, at));
        }

        if (pattern[p] == '*')
        {
            for (int at = t; ; at++)
            {
                if (Recursive(pattern, p + 1, text, at))
                {
                    return true;
                }

                if (at == text.Length || text[at] == '/')
                {
                    return false;
                }
            }
        }

        return t < text.Length && (pattern[p] == '?' ? text[t] != '/' : pattern[p] == text[t]) && Recursive(pattern, p + 1, text, t + 1);
    }
}
