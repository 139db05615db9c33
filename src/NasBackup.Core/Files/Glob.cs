using System.Text;

namespace NasBackup.Files;

/// <summary>
/// A pattern for paths below a source, as gitignore and rsync have them:
/// <list type="bullet">
/// <item><c>*</c> any characters of one name, <c>?</c> one character, <c>[a-z]</c> one of these, <c>[!a-z]</c> one but
/// these; none of them stands for '/'.</item>
/// <item><c>**</c> any characters over several names; <c>**/</c> any number of folders, none among them.</item>
/// <item>A pattern without '/' is compared with the name alone, at any depth. One with a '/' at its beginning or in its
/// middle is compared with the whole path below the source.</item>
/// <item>A '/' at the end: folders only.</item>
/// <item><c>\*</c> the character itself; <c>\xHH</c> a byte by its number, for names that are not UTF-8.</item>
/// </list>
/// </summary>
/// <remarks>A character is a whole UTF-8 character, or a single byte that belongs to none. Case matters. The time
/// is at most proportional to the length of the path times that of the pattern, whatever they hold.</remarks>
public sealed class Glob
{
    private readonly GlobToken[] _tokens;
    private readonly bool _nameOnly;
    private readonly bool _foldersOnly;
    private readonly byte[]? _wholeName;
    private readonly byte[]? _nameEnd;

    private Glob(string text, GlobToken[] tokens, bool nameOnly, bool foldersOnly)
    {
        Text = text;
        _tokens = tokens;
        _nameOnly = nameOnly;
        _foldersOnly = foldersOnly;

        // Most patterns are a plain name or "*.ending", which bytes decide.
        if (nameOnly && tokens.All(token => token.Kind == GlobTokenKind.Character))
        {
            _wholeName = ToBytes(tokens);
        }
        else if (nameOnly && tokens[0].Kind == GlobTokenKind.InName && tokens.Skip(1).All(token => token.Kind == GlobTokenKind.Character && token.Character <= 0x7F))
        {
            _nameEnd = ToBytes(tokens[1..]);
        }
    }

    /// <summary>The pattern as it was given.</summary>
    public string Text { get; }

    /// <summary>Reads a pattern.</summary>
    /// <exception cref="FormatException">It is empty, or a '[' is not closed.</exception>
    public static Glob Parse(string pattern)
    {
        bool foldersOnly = pattern.EndsWith('/');
        string body = foldersOnly ? pattern.TrimEnd('/') : pattern;
        bool nameOnly = !body.Contains('/');
        body = body.TrimStart('/');
        return body.Length > 0
            ? new Glob(pattern, GlobParser.Parse(pattern, body), nameOnly, foldersOnly)
            : throw new FormatException($"The pattern '{pattern}' is empty.");
    }

    /// <summary>Whether the pattern matches.</summary>
    /// <param name="path">The path below the source.</param>
    /// <param name="isDirectory">Whether that is a folder.</param>
    public bool IsMatch(FilePath path, bool isDirectory)
    {
        if (_foldersOnly && !isDirectory)
        {
            return false;
        }

        ReadOnlySpan<byte> subject = _nameOnly ? path.Name : path.Bytes;
        return _wholeName is not null ? subject.SequenceEqual(_wholeName)
            : _nameEnd is not null ? subject.EndsWith(_nameEnd)
            : Run(subject);
    }

    /// <inheritdoc/>
    public override string ToString() => Text;

    /// <summary>Follows all places in the pattern at once, character by character, so that no pattern takes more than
    /// one look per character and place.</summary>
    private bool Run(ReadOnlySpan<byte> subject)
    {
        int places = _tokens.Length + 1;
        Span<bool> now = places <= 256 ? stackalloc bool[places] : new bool[places];
        Span<bool> next = places <= 256 ? stackalloc bool[places] : new bool[places];
        now.Clear();
        Reach(now, 0);
        while (!subject.IsEmpty)
        {
            int character = GlobToken.Decode(subject, out int length);
            subject = subject[length..];
            next.Clear();
            bool any = false;
            for (int place = 0; place < _tokens.Length; place++)
            {
                if (now[place])
                {
                    any |= Step(next, place, character);
                }
            }

            if (!any)
            {
                return false;
            }

            Span<bool> swap = now;
            now = next;
            next = swap;
        }

        return now[_tokens.Length];
    }

    private bool Step(Span<bool> next, int place, int character)
    {
        switch (_tokens[place].Kind)
        {
            case GlobTokenKind.Folders:
                // Stays here within a folder's name, and may go on behind its '/'.
                next[place] = true;
                if (character == '/')
                {
                    Reach(next, place + 1);
                }

                return true;
            case GlobTokenKind.InName when character != '/':
            case GlobTokenKind.Anything:
                Reach(next, place);
                return true;
            case GlobTokenKind.InName:
                return false;
            default:
                if (!_tokens[place].Accepts(character))
                {
                    return false;
                }

                Reach(next, place + 1);
                return true;
        }
    }

    /// <summary>Marks a place, and those behind it that nothing needs to be read for.</summary>
    private void Reach(Span<bool> places, int place)
    {
        while (!places[place])
        {
            places[place] = true;
            if (place == _tokens.Length || !_tokens[place].MayBeEmpty)
            {
                return;
            }

            place++;
        }
    }

    private static byte[] ToBytes(IEnumerable<GlobToken> tokens)
    {
        var bytes = new List<byte>();
        Span<byte> buffer = stackalloc byte[4];
        foreach (GlobToken token in tokens)
        {
            if (token.Character >= GlobToken.LoneByte)
            {
                bytes.Add((byte)(token.Character - GlobToken.LoneByte));
            }
            else
            {
                bytes.AddRange(buffer[..new Rune(token.Character).EncodeToUtf8(buffer)]);
            }
        }

        return [.. bytes];
    }
}
