using System.Buffers;

namespace NasBackup.Formats;

/// <summary>What is done to buffers of the shared pool.</summary>
internal static class RentedBuffer
{
    /// <summary>A rented buffer at least twice as long, with the same content, in its place.</summary>
    public static void Lengthen(ref byte[] buffer)
    {
        byte[] longer = ArrayPool<byte>.Shared.Rent(buffer.Length * 2);
        buffer.CopyTo(longer, 0);
        ArrayPool<byte>.Shared.Return(buffer);
        buffer = longer;
    }
}
