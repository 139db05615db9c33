using System.Runtime.InteropServices;

namespace NasBackup.Files;

/// <summary>How far a scan is.</summary>
/// <param name="Entries">Entries found so far.</param>
/// <param name="Bytes">Their bytes.</param>
[StructLayout(LayoutKind.Auto)]
public readonly record struct ScanProgress(long Entries, long Bytes);
