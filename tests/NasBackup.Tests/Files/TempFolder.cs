using System.Diagnostics;
using System.Runtime.InteropServices;
using NasBackup.Files;
using Xunit;

namespace NasBackup.Tests.Files;

/// <summary>A folder for one test, opened, and removed with everything in it at the end.</summary>
internal sealed class TempFolder : IDisposable
{
    public TempFolder()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "The test is about Linux.");
        Path = Directory.CreateTempSubdirectory("nasbackup-").FullName;
        Tree = LinuxFileTree.Open(Path);
        // Others must get in: some tests run as nobody.
        Tree.SetMetadata(FilePath.Root, Tree.GetStatus(FilePath.Root).Metadata with { Mode = 0x1FF }, EntryKind.Directory);
    }

    public string Path { get; }

    public LinuxFileTree Tree { get; }

    public FilePath Write(FilePath path, string content)
    {
        using IFileHandle file = Tree.CreateNew(path);
        file.Write(System.Text.Encoding.UTF8.GetBytes(content));
        file.Close();
        return path;
    }

    public FilePath Write(string path, string content = "content") => Write(FilePath.Parse(path), content);

    public FilePath Folder(string path)
    {
        FilePath folder = FilePath.Root;
        foreach (string name in path.Split('/'))
        {
            folder = folder.Combine(FilePath.Parse(name));
            Tree.CreateDirectory(folder);
        }

        return folder;
    }

    public string Read(FilePath path)
    {
        using IFileHandle file = Tree.OpenRead(path);
        var bytes = new byte[file.GetStatus().Size];
        return System.Text.Encoding.UTF8.GetString(bytes, 0, file.ReadAt(bytes, 0));
    }

    public void Dispose()
    {
        if (Tree is not null)
        {
            RemoveAll();
            Tree.Dispose();
            Directory.Delete(Path, recursive: true);
        }
    }

    /// <summary>Mounts a small tmpfs on a folder, or skips the test where that is not allowed.</summary>
    public IDisposable MountTmpfs(FilePath folder, string options = "size=64k")
    {
        string place = Path + "/" + folder;
        if (!Environment.IsPrivilegedProcess || Run("mount", "-t", "tmpfs", "-o", options, "tmpfs", place) != 0)
        {
            Assert.Skip("Mounting is not allowed here.");
        }

        return new Undo(() => Run("umount", "-l", place));
    }

    /// <summary>Runs something as a user who owns nothing here: root may do everything, so there would be nothing to see.</summary>
    public static void AsNobody(Action body)
    {
        if (!Environment.IsPrivilegedProcess)
        {
            body();
            return;
        }

        Exception? failure = null;
        var thread = new Thread(() =>
        {
            // The bare system calls change this one thread only.
            bool arm = RuntimeInformation.ProcessArchitecture == Architecture.Arm64;
            if (Native.SystemCall(arm ? 149 : 119, 65534, 65534, 65534) != 0 || Native.SystemCall(arm ? 147 : 117, 65534, 65534, 65534) != 0)
            {
                failure = new InvalidOperationException("The user could not be changed.");
                return;
            }

            try
            {
                body();
            }
            catch (Exception caught)
            {
                failure = caught;
            }
        });
        thread.Start();
        thread.Join();
        if (failure is not null)
        {
            System.Runtime.ExceptionServices.ExceptionDispatchInfo.Throw(failure);
        }
    }

    public static int Run(string program, params string[] arguments)
    {
        using Process process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardError = true, RedirectStandardOutput = true, UseShellExecute = false })!;
        process.StandardOutput.ReadToEnd();
        process.StandardError.ReadToEnd();
        process.WaitForExit();
        return process.ExitCode;
    }

    // Without System.IO, which knows neither such names nor such depths.
    private void RemoveAll()
    {
        Tree.Directories.Clear();
        IReadOnlyList<Entry> found = Scanner.Scan(Tree, 0, new ScanOptions()).Entries;
        foreach (Entry entry in found.Where(entry => entry.Kind != EntryKind.Directory))
        {
            Tree.Delete(entry.Path);
            foreach (FilePath name in entry.OtherNames ?? [])
            {
                Tree.Delete(name);
            }
        }

        foreach (Entry folder in found.Reverse().Where(entry => entry.Kind == EntryKind.Directory && !entry.Path.IsRoot))
        {
            Tree.DeleteDirectory(folder.Path);
        }
    }

    internal sealed class Undo(Action action) : IDisposable
    {
        public void Dispose() => action();
    }

    private static class Native
    {
        [DllImport("libc", EntryPoint = "syscall", SetLastError = true)]
        [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
        internal static extern nint SystemCall(nint number, nint first, nint second, nint third);
    }
}
