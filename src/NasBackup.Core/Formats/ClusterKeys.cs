using System.Globalization;
using System.Security.Cryptography;

namespace NasBackup.Formats;

/// <summary>The keys of a cluster: the newest signs, all verify, so that a key can be changed while old files still count.</summary>
internal sealed class ClusterKeys
{
    private const string LineStart = "nasbackup-key-1 ";
    private const int KeyBytes = 32;
    private const int IdDigits = 16;

    private readonly Dictionary<string, byte[]> _keys = new(StringComparer.Ordinal);

    private ClusterKeys(IEnumerable<byte[]> keys)
    {
        foreach (byte[] key in keys)
        {
            NewestId = IdOf(key);
            _keys[NewestId] = key;
        }
    }

    /// <summary>The id of the key that signs: the first 16 hex digits of its SHA-256. It tells nothing of the key.</summary>
    public string NewestId { get; } = "";

    public int Count => _keys.Count;

    public byte[] Newest => _keys[NewestId];

    public bool TryFind(string id, out byte[] key) => _keys.TryGetValue(id, out key!);

    /// <summary>Reads a key file: a line per key, the newest last; empty lines and those that begin with '#' do not count.</summary>
    /// <exception cref="FormatException">It is none; the message names the line and nothing of its content.</exception>
    public static ClusterKeys Parse(string text)
    {
        var keys = new List<byte[]>();
        string[] lines = text.Split('\n', StringSplitOptions.TrimEntries);
        for (int i = 0; i < lines.Length; i++)
        {
            if (lines[i].Length == 0 || lines[i][0] == '#')
            {
                continue;
            }

            var key = new byte[KeyBytes];
            if (!lines[i].StartsWith(LineStart, StringComparison.Ordinal)
                || !Convert.TryFromBase64String(lines[i][LineStart.Length..], key, out int length) || length != KeyBytes)
            {
                throw new FormatException($"line {i + 1} is not a key");
            }

            keys.Add(key);
        }

        return keys.Count > 0 ? new ClusterKeys(keys) : throw new FormatException("it holds no key");
    }

    /// <summary>A new random key as lines of a key file, with a comment that says which it is.</summary>
    public static string NewLines(DateTime now, out string id)
    {
        byte[] key = RandomNumberGenerator.GetBytes(KeyBytes);
        id = IdOf(key);
        return string.Create(CultureInfo.InvariantCulture, $"# {id}, made {now:yyyy-MM-dd HH:mm:ss} UTC\n{LineStart}{Convert.ToBase64String(key)}\n");
    }

    private static string IdOf(byte[] key) => Convert.ToHexStringLower(SHA256.HashData(key))[..IdDigits];
}
