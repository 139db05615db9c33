using NasBackup.Files;

namespace NasBackup.Simulation.Storage;

/// <summary>
/// A volume as one machine has it mounted: what its kernel keeps of it. Content that was written and not synced is here
/// alone, and goes with the machine; "no such file", listings and status may be answered from here for as long as a network
/// file system does that. Opening a file that is known asks the server.
/// </summary>
internal sealed class ClientMount(Volume volume, Random random, Func<long> now, long cacheTicks, Action<string> count)
{
    private readonly Dictionary<Inode, List<Extent>> _dirty = [];
    private readonly Dictionary<(Inode, string), long> _absent = [];
    private readonly Dictionary<Inode, (long Until, string[] Names)> _listings = [];
    private readonly Dictionary<(Inode, string), (long Until, FileStatus Status)> _status = [];

    public Volume Volume => volume;

    /// <summary>No operation gets through before this moment (ticks).</summary>
    public long AwayUntil { get; set; }

    /// <summary>Whether operations fail while the volume is away; else they wait.</summary>
    public bool FailsWhileAway { get; set; }

    /// <summary>Whether it was unmounted for good: whatever was opened through it stays stale.</summary>
    public bool IsStale { get; set; }

    /// <summary>Whether anything written through this mount is not synced.</summary>
    public bool HasDirty => _dirty.Count > 0;

    /// <summary>Whether the machine believes, from its cache, that a name is not there.</summary>
    public bool BelievesAbsent(Inode directory, string name)
    {
        if (!_absent.TryGetValue((directory, name), out long until) || until <= now())
        {
            return false;
        }

        if (directory.Names.ContainsKey(name))
        {
            count("stale absence");
        }

        return true;
    }

    public void NoteAbsent(Inode directory, string name)
    {
        if (cacheTicks > 0)
        {
            _absent[(directory, name)] = now() + random.NextInt64(cacheTicks);
        }
    }

    /// <summary>What this machine itself did to a name it knows.</summary>
    public void Forget(Inode directory, string name)
    {
        _absent.Remove((directory, name));
        _status.Remove((directory, name));
        _listings.Remove(directory);
    }

    public string[] List(Inode directory)
    {
        if (_listings.TryGetValue(directory, out (long Until, string[] Names) cached) && cached.Until > now())
        {
            if (!cached.Names.AsSpan().SequenceEqual([.. directory.Names.Keys]))
            {
                count("stale listing");
            }

            return cached.Names;
        }

        string[] names = [.. directory.Names.Keys];
        if (cacheTicks > 0 && random.Next(2) == 0)
        {
            _listings[directory] = (now() + random.NextInt64(cacheTicks), names);
        }

        return names;
    }

    public FileStatus Status(Inode directory, string name, Inode inode)
    {
        if (_status.TryGetValue((directory, name), out (long Until, FileStatus Status) cached) && cached.Until > now())
        {
            return cached.Status;
        }

        FileStatus status = Status(inode);
        if (cacheTicks > 0 && random.Next(2) == 0)
        {
            _status[(directory, name)] = (now() + random.NextInt64(cacheTicks), status);
        }

        return status;
    }

    /// <summary>The status with what this machine has written and not sent yet.</summary>
    public FileStatus Status(Inode inode)
    {
        FileStatus status = inode.Status(volume.Number);
        return inode.Kind is EntryKind.File ? status with { Size = Length(inode) } : status;
    }

    public long Length(Inode inode)
        => _dirty.TryGetValue(inode, out List<Extent>? extents) ? Math.Max(inode.Length, extents.Max(extent => extent.Offset + extent.Bytes.Length)) : inode.Length;

    /// <summary>Writes to what this machine keeps.</summary>
    /// <param name="inode">To which file.</param>
    /// <param name="offset">Where.</param>
    /// <param name="bytes">Nobody may change them any more.</param>
    public void Write(Inode inode, long offset, byte[] bytes)
    {
        if (volume.IsReadOnly)
        {
            throw volume.Error(FileProblem.ReadOnly, "write", FilePath.FromText(volume.PathOf(inode) ?? ""), "Read-only file system");
        }

        if (!_dirty.TryGetValue(inode, out List<Extent>? extents))
        {
            _dirty.Add(inode, extents = []);
        }

        extents.Add(new Extent(offset, bytes));
        volume.NoteDirty(inode);
    }

    /// <summary>Reads with what this machine has written and not sent yet.</summary>
    public int Read(Inode inode, Span<byte> buffer, long offset)
    {
        int length = (int)Math.Clamp(Length(inode) - offset, 0, buffer.Length);
        buffer = buffer[..length];
        ReadOnlySpan<byte> sent = inode.Data[(int)Math.Min(offset, inode.Data.Length)..];
        sent = sent[..Math.Min(sent.Length, length)];
        sent.CopyTo(buffer);
        buffer[sent.Length..].Clear();
        if (!_dirty.TryGetValue(inode, out List<Extent>? extents))
        {
            return length;
        }

        foreach (Extent extent in extents)
        {
            long from = Math.Max(extent.Offset, offset);
            long to = Math.Min(extent.Offset + extent.Bytes.Length, offset + length);
            if (from < to)
            {
                extent.Bytes.AsSpan((int)(from - extent.Offset), (int)(to - from)).CopyTo(buffer[(int)(from - offset)..]);
            }
        }

        return length;
    }

    public void SetLength(Inode inode, long length)
    {
        if (_dirty.TryGetValue(inode, out List<Extent>? extents))
        {
            // What was written before the new end stays, as in any page cache.
            List<Extent> kept = [.. extents.Where(extent => extent.Offset < length)
                .Select(extent => new Extent(extent.Offset, extent.Bytes[..(int)Math.Min(extent.Bytes.Length, length - extent.Offset)]) { Touches = extent.Touches })];
            if (kept.Count > 0)
            {
                _dirty[inode] = kept;
            }
            else
            {
                _dirty.Remove(inode);
            }
        }

        volume.SetLength(inode, length);
    }

    /// <summary>Sends what was written to the server, piece by piece; the pieces are kept until they are synced, since a
    /// server that restarts is sent them again.</summary>
    /// <param name="inode">Of which file.</param>
    /// <param name="between">Called between two pieces.</param>
    public void Push(Inode inode, Action? between = null)
    {
        if (!_dirty.TryGetValue(inode, out List<Extent>? extents))
        {
            return;
        }

        foreach (Extent extent in extents.ToArray())
        {
            int cut = between is not null && extent.Bytes.Length > 1 ? random.Next(1, extent.Bytes.Length) : extent.Bytes.Length;
            volume.Write(inode, extent.Offset, extent.Bytes.AsSpan(0, cut), extent.Touches);
            if (cut < extent.Bytes.Length)
            {
                between!();
                volume.Write(inode, extent.Offset + cut, extent.Bytes.AsSpan(cut), extent.Touches);
            }
        }
    }

    /// <summary>Sets owner, mode and times; the server takes in first what was written before.</summary>
    public void SetMetadata(Inode inode, in FileMetadata metadata)
    {
        Push(inode);
        foreach (Extent extent in _dirty.GetValueOrDefault(inode) ?? [])
        {
            extent.Touches = false;
        }

        volume.SetMetadata(inode, metadata);
    }

    public void Sync(Inode inode, Action? between = null)
    {
        // What other threads write to it in between is not of this call.
        Extent[] sent = [.. _dirty.GetValueOrDefault(inode) ?? []];
        int starts;
        do
        {
            // A server that lost its power meanwhile has forgotten the pieces that it had, and is sent all of them again, as the
            // verifier of NFS has it.
            starts = volume.Crashes;
            Push(inode, between);
        }
        while (volume.Crashes != starts);

        if (_dirty.TryGetValue(inode, out List<Extent>? extents))
        {
            extents.RemoveAll(sent.Contains);
            if (extents.Count == 0)
            {
                _dirty.Remove(inode);
            }
        }

        volume.Sync(inode);
    }

    public void SyncAll()
    {
        Inode[] written = [.. _dirty.Keys.OrderBy(inode => inode.Number)];
        foreach (Inode inode in written)
        {
            Push(inode);
        }

        _dirty.Clear();
        volume.SyncAll(written);
    }

    /// <summary>The kernel writes some of it back on its own, as it does after a while, or as the last thing before the machine dies.</summary>
    /// <returns>Whether something was torn.</returns>
    public bool WriteBackSome()
    {
        bool torn = false;
        foreach (Inode inode in _dirty.Keys.OrderBy(inode => inode.Number).ToArray())
        {
            foreach (Extent extent in _dirty[inode])
            {
                int length = random.Next(3) switch { 0 => 0, 1 => extent.Bytes.Length, _ => random.Next(extent.Bytes.Length + 1) };
                if (length > 0 && !volume.IsFull && !volume.IsReadOnly)
                {
                    volume.Write(inode, extent.Offset, extent.Bytes.AsSpan(0, length), extent.Touches);
                    torn |= length < extent.Bytes.Length;
                }
            }
        }

        return torn;
    }

    /// <summary>The machine is gone, and with it what it had not sent.</summary>
    public void Drop()
    {
        _dirty.Clear();
        _absent.Clear();
        _listings.Clear();
        _status.Clear();
    }

    /// <summary>Something written and not synced.</summary>
    private sealed class Extent(long offset, byte[] bytes)
    {
        public long Offset => offset;

        public byte[] Bytes => bytes;

        /// <summary>Whether sending it makes the file's time of modification new; not where that was set since.</summary>
        public bool Touches { get; set; } = true;
    }
}
