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
        FieldRules.NotNegative(Source, "the source of a snapshot");
        DocumentFields.FileName(Name, "the name of a snapshot");
        DocumentFields.Speaker(Node, "the node of a snapshot");
        FieldRules.Text(Host, "the host of a snapshot");
        if (Path is not null)
        {
            DocumentFields.AbsolutePath(Path, "the path of a snapshot");
        }
    }
}
