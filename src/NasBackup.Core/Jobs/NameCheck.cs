using NasBackup.Coordination;

namespace NasBackup.Jobs;

/// <summary>
/// Whether a node's name is in use by a live process: its record is watched for a few beats. A node that left or died may
/// start again at once, as a new incarnation. It is a courtesy to the user; no promise depends on it.
/// </summary>
internal sealed class NameCheck(PlanFolder folder, string node, TimeSpan failureTimeout)
{
    /// <summary>Watches, where there is an earlier incarnation that has not left.</summary>
    /// <exception cref="BackupException">NodeInUse.</exception>
    public void ThrowIfInUse()
    {
        RecordDocument[] earlier = [.. Records().Where(record => record.State is not NodeState.Left && !LocalProcess.IsGone(record))];
        if (earlier.Length == 0)
        {
            return;
        }

        INodeRuntime runtime = folder.Share.Runtime;
        TimeSpan beat = TimeSpan.FromSeconds(Math.Min(1, failureTimeout.TotalSeconds / 4));
        long start = runtime.Time.GetTimestamp();
        while (runtime.Time.GetElapsedTime(start) < beat * 3)
        {
            runtime.Sleep(beat / 4, CancellationToken.None);
            foreach (RecordDocument record in Records())
            {
                if (earlier.FirstOrDefault(old => old.Incarnation == record.Incarnation) is { } old && old.Beat != record.Beat && record.State is not NodeState.Left)
                {
                    throw new BackupException(
                        ErrorIds.NodeInUse,
                        ErrorKind.ResourceBusy,
                        $"Node {node} is already running in plan {folder.PlanId}, on host {record.Host} as process {record.ProcessId}. Wait for it, stop it, or start under another node's name.",
                        node);
                }
            }
        }
    }

    private IEnumerable<RecordDocument> Records()
    {
        foreach (string name in folder.Share.ListNames(folder.Records))
        {
            if (name.StartsWith(node + ".", StringComparison.OrdinalIgnoreCase)
                && RecordFile.Read(folder.Share.Tree, folder.Records.Combine(name), folder.Share.Sealer) is { } record
                && record.Node.Equals(node, StringComparison.OrdinalIgnoreCase))
            {
                yield return record;
            }
        }
    }
}
