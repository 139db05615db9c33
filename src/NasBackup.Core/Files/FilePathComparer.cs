namespace NasBackup.Files;

/// <summary>Compares paths, also with a part of a longer one, so that a folder is found by the path of what lies in it without a copy.</summary>
internal sealed class FilePathComparer : IEqualityComparer<FilePath>, IAlternateEqualityComparer<ReadOnlySpan<byte>, FilePath>
{
    private FilePathComparer()
    {
    }

    public static FilePathComparer Instance { get; } = new();

    public bool Equals(FilePath left, FilePath right) => left == right;

    public int GetHashCode(FilePath path) => path.GetHashCode();

    public bool Equals(ReadOnlySpan<byte> alternate, FilePath other) => alternate.SequenceEqual(other.Bytes);

    public int GetHashCode(ReadOnlySpan<byte> alternate) => FilePath.HashOf(alternate);

    public FilePath Create(ReadOnlySpan<byte> alternate) => new(alternate.ToArray());
}
