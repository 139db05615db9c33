using NasBackup.Formats;

namespace NasBackup.Coordination;

/// <summary>A source as it is frozen for one plan (F19).</summary>
/// <param name="Source">The source's number.</param>
/// <param name="Mode">In which way; None where it is read as it is.</param>
/// <param name="Name">The snapshot's name.</param>
/// <param name="Path">Where the frozen source is read, as the plan's paths are named, so that path maps apply; null where it is not frozen.</param>
/// <param name="Node">The node that made it.</param>
/// <param name="Host">That node's machine.</param>
internal sealed record SnapshotDocument(int Source, SnapshotMode Mode, string Name, string? Path, string Node, string Host) : IChecked
{
    public void Check()
    {
        FieldRules.NotNegative(Source, "snapshot.source");
        FieldRules.Text(Name, "snapshot.name");
        FieldRules.Text(Node, "snapshot.node");
        FieldRules.Text(Host, "snapshot.host");
        if (Path is not null)
        {
            DocumentFields.AbsolutePath(Path, "snapshot.path");
        }
    }
}
