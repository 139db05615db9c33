using NasBackup.Coordination;
using NasBackup.Files;
using NasBackup.Formats;
using NasBackup.Simulation.Checks;
using NasBackup.Simulation.Cluster;

namespace NasBackup.Simulation.Defects;

/// <summary>Cuts that say one line less of the list than is kept: that line is on nobody's list.</summary>
internal sealed class CutThatLosesALine : Defect
{
    public override Promise Breaks => Promise.EveryEntryIsAccountedFor;

    public override IFileTree Wrap(IFileTree tree, string path, Machine machine, SimulatedCluster cluster)
        => path == "/share" ? new Tree(tree) : tree;

    private sealed class Tree(IFileTree inner) : DelegatingTree(inner)
    {
        public override IFileHandle CreateNew(FilePath path)
        {
            IFileHandle handle = Inner.CreateNew(path);
            return FilePath.Display(path.Bytes).Contains("/assignments/", StringComparison.Ordinal) ? new Handle(handle) : handle;
        }
    }

    private sealed class Handle(IFileHandle inner) : DelegatingHandle(inner)
    {
        public override void Write(ReadOnlySpan<byte> bytes)
        {
            if (SealedJson.TryOpen(bytes, CoordinationJson.Default.SlotDocument) is { Kind: SlotKind.Cut, CutAt: > 0 } cut)
            {
                Inner.Write([.. SealedJson.Seal(cut with { CutAt = cut.CutAt - 1 }, CoordinationJson.Default.SlotDocument), (byte)'\n']);
            }
            else
            {
                Inner.Write(bytes);
            }
        }
    }
}
