using NasBackup.Coordination;
using NasBackup.Files;
using NasBackup.Formats.Tar;
using NasBackup.Planning;
using NasBackup.Transfer.Volumes;

namespace NasBackup.Sets;

/// <summary>The Archive layout: members of tar volumes. Their headers are read and compared with the manifest's names, since
/// plain tar goes by them.</summary>
internal sealed class VolumeContent : ISetContent
{
    private readonly OpenSet _set;
    private readonly IReadOnlyList<VolumeDocument> _documents;
    private readonly FilePath[] _memberBases;
    private readonly OpenVolumes _volumes;
    private readonly Lazy<FileSystemException?> _folders;

    /// <summary>Begins with no volume open.</summary>
    /// <param name="set">The set.</param>
    /// <param name="dataBases">For each source what its entries' paths are appended to in the Mirror layout.</param>
    public VolumeContent(OpenSet set, IReadOnlyList<FilePath> dataBases)
    {
        (_set, _documents) = (set, set.Document.Volumes ?? []);
        _memberBases = [.. dataBases.Select(MemberNames.BaseOf)];
        _volumes = new OpenVolumes(set.Tree, number => VolumeNames.Root.Combine(_documents[number].File));
        _folders = new Lazy<FileSystemException?>(CheckFolders);
    }

    /// <inheritdoc/>
    public FilePath Root => VolumeNames.Root;

    /// <inheritdoc/>
    public FilePath Locate(in ManifestEntry entry, FilePath name)
    {
        _set.ThrowIfUnsafe(entry.Entry.Source, name, isFolder: true);
        return VolumeNames.Root.Combine(entry.Place is { } place && place.Volume < _documents.Count ? _documents[place.Volume].File : _documents[^1].File);
    }

    /// <inheritdoc/>
    public FileStatus GetStatus(in ManifestEntry entry, FilePath name)
    {
        FilePath path = Locate(entry, name);
        if (entry.Entry.Kind is EntryKind.Directory)
        {
            // Their volume is compared as a whole, once.
            return _folders.Value is { } problem ? throw problem : entry.Entry.Status;
        }

        using OpenVolumes.Lease volume = Open(entry, path, out MemberPlace place);
        using var window = new VolumeWindow(volume.Handle);
        return Find(window, entry, name, place, path).Status;
    }

    /// <inheritdoc/>
    public IFileHandle OpenRead(in ManifestEntry entry, FilePath name)
    {
        FilePath path = Locate(entry, name);
        OpenVolumes.Lease volume = Open(entry, path, out MemberPlace place);
        var window = new VolumeWindow(volume.Handle);
        try
        {
            (TarMember member, FileStatus status) = Find(window, entry, name, place, path);
            if (status.Size != entry.Entry.Size)
            {
                // Before anything is read: a header may claim any length.
                throw Problem(path, $"it has {status.Size} bytes instead of {entry.Entry.Size}");
            }

            return new MemberHandle(window, member, status, volume.Dispose);
        }
        catch
        {
            window.Dispose();
            volume.Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    public byte[] ReadLink(in ManifestEntry entry, FilePath name)
    {
        FilePath path = Locate(entry, name);
        using OpenVolumes.Lease volume = Open(entry, path, out MemberPlace place);
        using var window = new VolumeWindow(volume.Handle);
        return Find(window, entry, name, place, path).Member.Target;
    }

    public void Dispose() => _volumes.Dispose();

    private OpenVolumes.Lease Open(in ManifestEntry entry, FilePath path, out MemberPlace place)
    {
        place = entry.Place ?? throw Problem(path, "the manifest does not say where in the volumes it lies");
        return place.Volume < _documents.Count
            ? _volumes.Open(place.Volume)
            : throw Problem(path, $"the manifest names volume {place.Volume}, and the set has {_documents.Count}");
    }

    /// <summary>The member of the entry itself, and its status, with one inode for all of its names.</summary>
    private (TarMember Member, FileStatus Status) Find(VolumeWindow window, in ManifestEntry entry, FilePath name, in MemberPlace place, FilePath path)
    {
        try
        {
            var first = TarMember.Read(window, place.Offset, place.End);
            FilePath expected = _memberBases[entry.Entry.Source].Combine(entry.Entry.Path.Bytes);
            if (first.Name != expected || first.IsOtherName)
            {
                throw Problem(path, $"'{first.Name}' stands in its place at byte {place.Offset}");
            }

            if (name != entry.Entry.Path)
            {
                ThrowIfMissing(window, first, _memberBases[entry.Entry.Source].Combine(name.Bytes), place, path);
            }

            return (first, first.Status with { Inode = (ulong)place.Offset + 1, FileSystem = (ulong)place.Volume + 1 });
        }
        catch (FormatException e)
        {
            throw Problem(path, $"at byte {place.Offset}: {e.Message}");
        }
    }

    private static void ThrowIfMissing(VolumeWindow window, TarMember first, FilePath name, in MemberPlace place, FilePath path)
    {
        for (long at = first.End; at < place.End;)
        {
            var other = TarMember.Read(window, at, place.End);
            if (other.IsOtherName && other.Name == name && first.Name.Bytes.SequenceEqual(other.Target))
            {
                return;
            }

            at = other.End;
        }

        throw new FileSystemException(FileProblem.NotFound, "read", path.ToString(), $"the name '{name}' does not stand behind byte {place.Offset}");
    }

    private FileSystemException? CheckFolders()
    {
        VolumeDocument document = _documents[^1];
        FilePath path = VolumeNames.Root.Combine(document.File);
        try
        {
            ManifestReference stored = ManifestFile.Refer(_set.Tree, path, static () => { });
            return stored.Hash == document.Hash ? null : Problem(path, $"the volume of the folders has the hash {stored.Hash} instead of {document.Hash}");
        }
        catch (FileSystemException e)
        {
            return e;
        }
    }

    private FileSystemException Problem(FilePath path, string what)
        => new(FileProblem.Other, "read", $"{_set.Tree.RootPath}/{path}", what);
}
