using System.Diagnostics;
using NasBackup.Coordination;

namespace NasBackup.Jobs;

/// <summary>What can be known of a record's process without watching the record.</summary>
internal static class LocalProcess
{
    /// <summary>Whether the record was written by a process of this very host that is gone. False proves nothing.</summary>
    public static bool IsGone(RecordDocument record)
    {
        if (record.Host != Environment.MachineName || record.ProcessId == Environment.ProcessId)
        {
            return false;
        }

        try
        {
            using var process = Process.GetProcessById(record.ProcessId);
            return process.HasExited;
        }
        catch (ArgumentException)
        {
            return true;
        }
    }
}
