using System.Diagnostics;

namespace NasBackup.Tests.Cluster;

/// <summary>A file system of its own in a file, mounted for a test; the test skips where it may not be made or mounted.</summary>
internal sealed class LoopDevice : IDisposable
{
    private readonly List<string> _mounts = [];

    /// <summary>Makes the file system; it is not mounted yet.</summary>
    public LoopDevice(string image, string fileSystem, long bytes)
    {
        Image = image;
        using (FileStream file = File.Create(image))
        {
            file.SetLength(bytes);
        }

        Skip.Unless(TryRun($"mkfs.{fileSystem}", "-q", image), $"mkfs.{fileSystem} is not installed.");
    }

    public string Image { get; }

    /// <summary>Mounts it as a whole at a folder, which is made.</summary>
    public void Mount(string folder)
    {
        Directory.CreateDirectory(folder);
        Skip.Unless(TryRun("mount", "-o", "loop", Image, folder), "This user may not mount, or the kernel does not know the file system.");
        _mounts.Add(folder);
    }

    /// <summary>As if its host had died: nothing at that folder answers any more.</summary>
    public void Unmount(string folder)
    {
        TryRun("umount", "-l", folder);
        _mounts.Remove(folder);
    }

    public void Dispose()
    {
        foreach (string folder in Enumerable.Reverse(_mounts))
        {
            TryRun("umount", "-l", folder);
        }
    }

    private static bool TryRun(string tool, params string[] arguments)
    {
        try
        {
            using var process = Process.Start(new ProcessStartInfo(tool, arguments) { RedirectStandardError = true, RedirectStandardOutput = true, UseShellExecute = false })!;
            process.StandardOutput.ReadToEnd();
            process.StandardError.ReadToEnd();
            process.WaitForExit();
            return process.ExitCode == 0;
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return false;
        }
    }

    private static class Skip
    {
        public static void Unless(bool condition, string reason) => Assert.SkipUnless(condition, reason);
    }
}
