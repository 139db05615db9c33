using NasBackup.Coordination;
using NasBackup.Files;
using NasBackup.Formats;
using NasBackup.Formats.Tar;
using NasBackup.Planning;
using NasBackup.Simulation.Cluster;
using NasBackup.Simulation.Defects;
using NasBackup.Simulation.Storage;
using NasBackup.Transfer;
using NasBackup.Transfer.Volumes;

namespace NasBackup.Simulation.Checks;

/// <summary>What lies in tar volumes, as tar would find it: member after member, without the manifest.</summary>
internal static class TarView
{
    /// <summary>A member.</summary>
    /// <param name="Name">Below the source.</param>
    /// <param name="Kind">What it is.</param>
    /// <param name="Content">Of a file its bytes, of a link its target.</param>
    /// <param name="Of">The member that it is another name of, or null.</param>
    public sealed record Member(FilePath Name, EntryKind Kind, byte[] Content, FilePath? Of);

    private static FilePath Base => MemberNames.BaseOf(SetPaths.DataOf(SimulatedCluster.SourcePath));

    /// <summary>A volume as it is before it is compressed.</summary>
    /// <exception cref="FormatException">A frame is damaged or cut off.</exception>
    public static byte[] Decompressed(FilePath name, ReadOnlySpan<byte> volume)
    {
        if (!VolumeNames.IsCompressed(name.ToString()))
        {
            return volume.ToArray();
        }

        var frames = new List<byte[]>();
        while (!volume.IsEmpty)
        {
            VolumeFrame.Measure(volume, out int length, out int content);
            frames.Add(length > 0 ? VolumeFrame.Decompress(volume[..length], content) : throw new FormatException("a frame is cut off"));
            volume = volume[length..];
        }

        if (frames.Count == 1)
        {
            return frames[0];
        }

        byte[] archive = GC.AllocateUninitializedArray<byte>(frames.Sum(frame => frame.Length));
        int at = 0;
        foreach (byte[] frame in frames)
        {
            frame.CopyTo(archive, at);
            at += frame.Length;
        }

        return archive;
    }

    /// <summary>All members of a volume, up to the end of the archive.</summary>
    /// <exception cref="FormatException">It is no archive, or has no end.</exception>
    public static IEnumerable<Member> Read(byte[] volume)
    {
        using var window = new VolumeWindow(new Bytes(volume));
        long at = 0;
        while (true)
        {
            ReadOnlySpan<byte> end = volume.AsSpan((int)Math.Min(at, volume.Length));
            if (end.Length < TarHeader.EndBytes)
            {
                throw new FormatException($"the archive has no end behind byte {at}");
            }

            if (!end[..TarHeader.EndBytes].ContainsAnyExcept((byte)0))
            {
                yield break;
            }

            var member = TarMember.Read(window, at, volume.Length);
            yield return ToMember(volume, member);
            at = member.End;
        }
    }

    /// <summary>Why an entry would not survive a crash of the device's server in the volume of its owner; null where it would.</summary>
    public static string? WhyNotDurable(Volume device, string planId, string incarnation, ListItem item, in JournalEntry entry)
    {
        if (entry.Place is not { } place)
        {
            return item.Entry.Kind is EntryKind.Directory ? null : "the journal does not say where it lies";
        }

        FilePath path = FilePath.FromText(planId).Combine(VolumeNames.Drafts.Bytes).Combine(VolumeNames.Of(planId, incarnation, place.Volume, place.IsCompressed));
        if (DurabilityCheck.WhyNotDurable(device, path, hash: null, size: 0) is { } problem)
        {
            return problem;
        }

        ReadOnlyMemory<byte> durable = device.Find(device.Root, path, "find").DurableData;
        try
        {
            (long start, long end) = (place.Offset, place.End);
            if (place.IsCompressed)
            {
                durable = Decompressed(path, durable.Span.Slice((int)start, (int)place.Length));
                (start, end) = (place.Skip, place.Skip + place.Size);
            }

            using var window = new VolumeWindow(new Bytes(durable));
            Member member = ToMember(durable, TarMember.Read(window, start, Math.Min(end, durable.Length)));
            return member.Name != item.Entry.Path ? $"at byte {place.Offset} of '{path}' there is '{member.Name}'"
                : entry.Hash is { } hash && Hash128.Of(member.Content) != hash ? $"at byte {place.Offset} of '{path}' there are other bytes"
                : null;
        }
        catch (Exception e) when (e is FormatException or ArgumentOutOfRangeException)
        {
            return $"{durable.Length} bytes of '{path}' are on the device's storage, which do not hold it: {e.Message}";
        }
    }

    private static Member ToMember(ReadOnlyMemory<byte> volume, TarMember member)
    {
        byte[] content = member.Status.Kind is EntryKind.SymbolicLink ? member.Target
            : member.IsOtherName ? []
            : volume.Slice((int)member.ContentOffset, (int)member.Status.Size).ToArray();
        return new Member(Below(member.Name), member.Status.Kind, content, member.IsOtherName ? Below(new FilePath(member.Target)) : null);
    }

    private static FilePath Below(FilePath name)
    {
        ReadOnlySpan<byte> above = Base.Bytes;
        return name == Base ? FilePath.Root
            : name.Bytes.StartsWith(above) && name.Bytes[above.Length] == '/' ? new FilePath(name.Bytes[(above.Length + 1)..].ToArray())
            : throw new FormatException($"the member '{name}' is not of the source");
    }

    private sealed class Bytes(ReadOnlyMemory<byte> data) : DelegatingHandle(inner: null!)
    {
        public override int ReadAt(Span<byte> buffer, long offset)
        {
            ReadOnlySpan<byte> rest = data.Span[(int)Math.Min(offset, data.Length)..];
            rest = rest[..Math.Min(rest.Length, buffer.Length)];
            rest.CopyTo(buffer);
            return rest.Length;
        }
    }
}
