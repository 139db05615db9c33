using System.Security.Cryptography;

namespace NasBackup.Coordination;

/// <summary>Where ids and tokens come from; the simulation has a source of its own that repeats with the seed.</summary>
public class Tokens
{
    private const string Alphabet = "abcdefghijkmnpqrstuvwxyz23456789";

    /// <summary>The system's random numbers.</summary>
    public static Tokens System { get; } = new();

    /// <summary>Random characters that are safe in file names and easy to read aloud.</summary>
    public virtual string Next(int length) => RandomNumberGenerator.GetString(Alphabet, length);
}
