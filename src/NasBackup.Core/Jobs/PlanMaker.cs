using NasBackup.Coordination;
using NasBackup.Files;
using NasBackup.Formats;
using NasBackup.Planning;
using NasBackup.Sets;
using NasBackup.Transfer;

namespace NasBackup.Jobs;

/// <summary>Makes a plan from a request: scans the sources (F2), divides what it found (F3–F7), writes the lists (F8).</summary>
internal sealed class PlanMaker(
    PlanFolder folder,
    RequestDocument request,
    Identity me,
    NodeEnvironment environment)
{
    /// <summary>Free room that a set needs beside its bytes: manifest, set.json, folders.</summary>
    private const long SpareBytes = 2 * 1024 * 1024;
    private const int BytesPerEntry = 256;
    private const int MostUnreadable = 1000;

    /// <summary>Of sources that are frozen: they are scanned there.</summary>
    public IReadOnlyList<SnapshotDocument> Snapshots { get; init; } = [];

    public Action<ScanProgress>? Progress { get; init; }

    /// <summary>Called now and then while what was scanned is divided and written.</summary>
    public Action Step { get; init; } = () => { };

    public Action<string> Verbose { get; init; } = _ => { };

    /// <summary>Scans, writes the lists, makes the set's folder. The plan counts when its slot has been published.</summary>
    /// <exception cref="BackupException">SourceNotFound, SourceUnreadable, DeviceNotFound, DeviceReadOnly, DeviceTooSmall.</exception>
    public PlanDocument Make(CancellationToken cancellation)
    {
        var items = new List<ListItem>();
        var identities = new List<SourceIdentityDocument>();
        var skipped = new Dictionary<string, long>(StringComparer.Ordinal);
        var unreadable = new List<UnreadableDocument>();
        long unreadableCount = 0;
        long bytes = 0;
        long unstored = 0;
        for (int source = 0; source < request.Sources.Count; source++)
        {
            (ScanResult result, SourceIdentityDocument identity) = Scan(source, items.Count, bytes, cancellation);
            identities.Add(identity);
            items.AddRange(result.Entries.Select(entry => new ListItem(entry)));
            bytes = Totals.Add(bytes, result.Bytes);
            unstored = Totals.Add(unstored, result.UnstoredBytes);
            foreach ((SkipReason reason, long count) in result.SkippedCounts)
            {
                skipped[reason.ToString()] = skipped.GetValueOrDefault(reason.ToString()) + count;
            }

            unreadableCount += result.Unreadable.Count;
            string root = request.Sources[source].Path;
            unreadable.AddRange(result.Unreadable.Take(MostUnreadable - unreadable.Count)
                .Select(item => new UnreadableDocument(item.Path.IsRoot ? root : $"{root.TrimEnd('/')}/{item.Path}", item.Problem)));
        }

        Step();
        string? baseId = PrepareDevice(items, identities, bytes - unstored, cancellation);
        return new PlanDocument
        {
            Entries = items.Count,
            Bytes = bytes,
            Base = baseId,
            Identities = identities,
            Snapshots = Snapshots.Count > 0 ? Snapshots : null,
            Skipped = skipped,
            Unreadable = unreadable,
            UnreadableCount = unreadableCount,
            Lists = PlanLists.Write(folder, request, items, environment.CostOf, Step, Verbose),
        };
    }

    private (ScanResult Result, SourceIdentityDocument Identity) Scan(int source, long entriesBefore, long bytesBefore, CancellationToken cancellation)
    {
        string path = environment.SourcePath(request.Sources[source], Snapshots.FirstOrDefault(snapshot => snapshot.Source == source)?.Path);
        try
        {
            if (IsFolder(path))
            {
                var options = new ScanOptions
                {
                    Include = request.Include,
                    Exclude = request.Exclude,
                    OneFileSystem = request.OneFileSystem,
                    ExcludeCaches = request.ExcludeCaches,
                };
                using IFileTree tree = environment.OpenSource(path);
                ScanResult result = Scanner.Scan(
                    tree,
                    source,
                    options,
                    progress => Progress?.Invoke(new ScanProgress(entriesBefore + progress.Entries, bytesBefore + progress.Bytes)),
                    folder.Share.Runtime.Processors,
                    cancellation,
                    folder.Share.Runtime.Time);
                return (result, SourceSet.Identify(tree, isFile: false, result.Entries));
            }

            using IFileTree parent = environment.OpenSource(System.IO.Path.GetDirectoryName(path)!);
            ScanResult single = Scanner.ScanSingle(parent, FilePath.Parse(System.IO.Path.GetFileName(path)), source);
            return (single, SourceSet.Identify(parent, isFile: true, single.Entries));
        }
        catch (FileSystemException e) when (e.Problem is FileProblem.NotFound && path != PlanPath(source))
        {
            throw PathMapErrors.MappedToNothing(me.Node, "source", PlanPath(source), path);
        }
        catch (FileSystemException e)
        {
            throw new BackupException(
                e.Problem is FileProblem.NotFound or FileProblem.NotADirectory ? ErrorIds.SourceNotFound : ErrorIds.SourceUnreadable,
                e.Problem is FileProblem.NotFound ? ErrorKind.NotFound : ErrorKind.AccessDenied,
                $"The source '{path}' cannot be read on node {me.Node}: {e.Reason}. Check the path, its permissions and whether its disk is mounted.",
                path,
                e);
        }
    }

    private string PlanPath(int source) => Snapshots.FirstOrDefault(snapshot => snapshot.Source == source)?.Path ?? request.Sources[source].Path;

    private bool IsFolder(string path)
    {
        string? parent = System.IO.Path.GetDirectoryName(path);
        if (parent is null)
        {
            return true;
        }

        using IFileTree tree = environment.Open(parent);
        return tree.GetStatus(FilePath.Parse(System.IO.Path.GetFileName(path))).Kind is EntryKind.Directory;
    }

    /// <summary>Makes the set's folder, chooses the base, and looks whether there is room for the rest.</summary>
    private string? PrepareDevice(
        List<ListItem> items, IReadOnlyList<SourceIdentityDocument> identities, long bytes, CancellationToken cancellation)
    {
        string path = environment.ToOwnPath(request.Device);
        try
        {
            using IFileTree device = OpenDevice(path);
            ThrowIfTooSmall(device, path, SpareBytes, entries: 0);
            SetFolder.Create(device, request, folder.Share.Runtime, folder.Share.Tokens, folder.Share.Sealer);
            try
            {
                string? baseId = null;
                if (request.Type is not BackupType.Full)
                {
                    var folders = new SetFolders(device, environment.OpenDevice, folder.Share.Runtime, folder.Share.Tokens, folder.Share.Sealer);
                    baseId = new BaseSelection(folders, request, identities, me, Step, Verbose).Choose(items, cancellation);
                }

                long known = baseId is null ? 0 : items.Aggregate(0L, static (sum, item) => Totals.Add(sum, item.Entry.Size - item.BytesToMove));
                ThrowIfTooSmall(device, path, Totals.Add(Math.Max(0, bytes - known), (items.Count * (long)BytesPerEntry) + SpareBytes), items.Count(item => item.Base is not { Use: BaseUse.Link }));
                SetFolder.Reserve(device, request, items.Count);
                return baseId;
            }
            catch (BackupException)
            {
                // There will be no such set.
                new Share(device, folder.Share.Runtime, folder.Share.Tokens).RemoveFolder(FilePath.FromText(request.Id));
                throw;
            }
        }
        catch (FileSystemException e) when (e.Problem is FileProblem.NotFound && path != request.Device)
        {
            throw PathMapErrors.MappedToNothing(me.Node, "device", request.Device, path);
        }
        catch (FileSystemException e)
        {
            throw DeviceErrors.CannotUse(path, e);
        }
    }

    private static void ThrowIfTooSmall(IFileTree device, string path, long needed, long entries)
    {
        SpaceStatus space = device.GetSpace();
        // A file system that does not know its own size (ramfs, some behind FUSE) says 0 of 0.
        if ((space.TotalBytes > 0 && space.FreeBytes < needed) || (space.FreeEntries >= 0 && space.FreeEntries < entries))
        {
            throw new BackupException(
                ErrorIds.DeviceTooSmall,
                ErrorKind.NoSpace,
                $"The device '{path}' has {space.FreeBytes} bytes and {(space.FreeEntries < 0 ? "any number of" : space.FreeEntries)} files free; this backup needs about {needed} bytes and {entries} files. Make room there, or choose another destination.",
                path);
        }
    }

    /// <summary>The device's folder, made where only the last part is missing: who asked for the plan may not see it.</summary>
    private IFileTree OpenDevice(string path)
    {
        try
        {
            return environment.OpenDevice(path);
        }
        catch (FileSystemException e) when (e.Problem is FileProblem.NotFound && path == request.Device && System.IO.Path.GetDirectoryName(path) is { } parent)
        {
            using IFileTree above = environment.OpenDevice(parent);
            above.CreateDirectory(FilePath.Parse(System.IO.Path.GetFileName(path)));
            return environment.OpenDevice(path);
        }
    }
}

/// <summary>What is said when a device cannot be used.</summary>
internal static class DeviceErrors
{
    public static BackupException CannotUse(string path, FileSystemException e) => e.Problem switch
    {
        FileProblem.NotFound or FileProblem.NotADirectory => new BackupException(
            ErrorIds.DeviceNotFound, ErrorKind.NotFound, $"The device '{path}' does not exist: {e.Reason}. Mount it, or make the folder.", path, e),
        FileProblem.ReadOnly or FileProblem.AccessDenied => new BackupException(
            ErrorIds.DeviceReadOnly, ErrorKind.AccessDenied, $"The device '{path}' cannot be written to: {e.Reason}. Remount it read-write, or check its permissions.", path, e),
        FileProblem.NoSpace => new BackupException(
            ErrorIds.DeviceFull, ErrorKind.NoSpace, $"The device '{path}' is full: {e.Reason}. Make room there, or choose another destination.", path, e),
        _ => new BackupException(ErrorIds.DeviceUnsuitable, ErrorKind.DeviceError, $"The device '{path}' cannot be used: {e.Message}.", path, e),
    };
}

/// <summary>What is said of a path map that leads nowhere.</summary>
internal static class PathMapErrors
{
    public static BackupException MappedToNothing(string node, string what, string planPath, string ownPath) => new(
        ErrorIds.PathMapInvalid,
        ErrorKind.NotFound,
        $"The path map of node {node} leads the {what} '{planPath}' to '{ownPath}', where there is nothing. Mount it there, or mend the map with Set-NasNode -PathMap.",
        ownPath);
}
