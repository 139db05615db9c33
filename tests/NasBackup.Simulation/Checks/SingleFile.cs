using NasBackup.Files;
using NasBackup.Simulation.Defects;
using NasBackup.Simulation.Storage;

namespace NasBackup.Simulation.Checks;

/// <summary>A tree that consists of one file, as its server has it.</summary>
internal sealed class SingleFile(Inode inode) : DelegatingTree(inner: null!)
{
    public override IFileHandle OpenRead(FilePath path) => new Handle(inode);

    public override string RootPath => "";

    private sealed class Handle(Inode inode) : DelegatingHandle(inner: null!)
    {
        public override int ReadAt(Span<byte> buffer, long offset)
        {
            ReadOnlySpan<byte> data = offset >= inode.Data.Length ? [] : inode.Data[(int)offset..];
            data = data[..Math.Min(data.Length, buffer.Length)];
            data.CopyTo(buffer);
            return data.Length;
        }
    }
}
