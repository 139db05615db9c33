using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using NasBackup.Coordination;
using NasBackup.Files;

namespace NasBackup.Sets;

/// <summary>
/// Where files are written before they get their names: <c>.nasbackup-restore/RUN</c> at the top of a target,
/// so that what a torn restore leaves is in one place and never looks like a file of the user's. What a process of this host
/// that is no more has left is removed by the next restore.
/// </summary>
/// <param name="run">What the folder of this run is called.</param>
internal sealed class RestoreDrafts(string run)
{
    private static readonly FilePath Top = FilePath.FromText(".nasbackup-restore");

    private readonly ConcurrentDictionary<IFileTree, FilePath> _folders = new();
    private readonly Lock _gate = new();
    private long _next;

    /// <summary>Drafts of a restore by this process alone.</summary>
    public static RestoreDrafts OfProcess(Tokens tokens)
        => new($"{Environment.MachineName}.{Environment.ProcessId.ToString(CultureInfo.InvariantCulture)}.{tokens.Next(8)}");

    /// <summary>Removes what all nodes of a plan have left, when the plan is through.</summary>
    public static void RemoveOf(IEnumerable<IFileTree> trees, string planId)
    {
        foreach (IFileTree tree in trees)
        {
            Try(() =>
            {
                foreach (DirectoryItem item in tree.ReadDirectory(Top, withStatus: false))
                {
                    if (FilePath.Display(item.Name).StartsWith(planId + ".", StringComparison.Ordinal))
                    {
                        RemoveFolder(tree, Top.Combine(item.Name));
                    }
                }

                tree.DeleteDirectory(Top);
            });
        }
    }

    /// <summary>A name that nobody has, in a target's folder of drafts.</summary>
    public FilePath New(IFileTree tree)
    {
        if (!_folders.TryGetValue(tree, out FilePath folder))
        {
            lock (_gate)
            {
                folder = Top.Combine(run);
                if (!_folders.ContainsKey(tree))
                {
                    tree.CreateDirectory(Top);
                    RemoveOld(tree);
                    tree.CreateDirectory(folder);
                    _folders[tree] = folder;
                }
            }
        }

        return folder.Combine(Interlocked.Increment(ref _next).ToString(CultureInfo.InvariantCulture));
    }

    /// <summary>A name beside a file, for where its folder is on another file system than the target's top.</summary>
    public FilePath NewBeside(FilePath path) => path.Parent.Combine($".nasbackup-restore.{run}.{Interlocked.Increment(ref _next).ToString(CultureInfo.InvariantCulture)}");

    /// <summary>Removes what is left of this run. What cannot be removed only takes room.</summary>
    public void Remove()
    {
        foreach ((IFileTree tree, FilePath folder) in _folders)
        {
            RemoveFolder(tree, folder);
            Try(() => tree.DeleteDirectory(Top));
        }
    }

    private static void RemoveOld(IFileTree tree)
    {
        Try(() =>
        {
            foreach (DirectoryItem item in tree.ReadDirectory(Top, withStatus: false))
            {
                if (IsOver(FilePath.Display(item.Name)))
                {
                    RemoveFolder(tree, Top.Combine(item.Name));
                }
            }
        });
    }

    private static bool IsOver(string run)
    {
        string[] parts = run.Split('.');
        if (parts.Length < 3 || !run.StartsWith(Environment.MachineName + ".", StringComparison.Ordinal)
            || !int.TryParse(parts[^2], NumberStyles.None, CultureInfo.InvariantCulture, out int process))
        {
            return false;
        }

        try
        {
            using var running = Process.GetProcessById(process);
            return false;
        }
        catch (ArgumentException)
        {
            return true;
        }
    }

    private static void RemoveFolder(IFileTree tree, FilePath folder)
    {
        Try(() =>
        {
            foreach (DirectoryItem item in tree.ReadDirectory(folder, withStatus: false))
            {
                tree.Delete(folder.Combine(item.Name));
            }

            tree.DeleteDirectory(folder);
        });
    }

    private static void Try(Action action)
    {
        try
        {
            action();
        }
        catch (FileSystemException)
        {
            // It only takes room.
        }
    }
}
