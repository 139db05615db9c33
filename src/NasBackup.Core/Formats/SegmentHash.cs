using System.Runtime.InteropServices;

namespace NasBackup.Formats;

/// <summary>What one segment of a file hashes to. The segments of a file follow each other without a gap, from its start to its end.</summary>
/// <param name="Offset">Where it begins, in bytes.</param>
/// <param name="Length">Bytes, holes included.</param>
/// <param name="Hash">XXH128 of these bytes.</param>
[StructLayout(LayoutKind.Auto)]
public readonly record struct SegmentHash(long Offset, long Length, Hash128 Hash)
{
    /// <summary>Where it ends, in bytes.</summary>
    public long End => Offset + Length;
}
