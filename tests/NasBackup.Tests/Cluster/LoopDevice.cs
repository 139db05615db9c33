using System.Diagnostics;
using NasBackup.Tests.Support;

namespace NasBackup.Tests.Cluster;

/// <summary>A file system of its own in a file, mounted for a test; the test skips where it may not be made or mounted.</summary>
internal sealed class LoopDevice : IDisposable
{
    private readonly List<string> _mounts = [];
    private readonly long _bytes;

    /// <summary>Makes the file system; it is not mounted yet.</summary>
    /// <param name="image">The file.</param>
    /// <param name="fileSystem">As mkfs names it.</param>
    /// <param name="bytes">How large.</param>
    /// <param name="options">More of mkfs.</param>
    public LoopDevice(string image, string fileSystem, long bytes, params string[] options)
    {
        _bytes = bytes;
        Image = image;
        using (FileStream file = File.Create(image))
        {
            file.SetLength(bytes);
        }

        Skip.Unless(TryRun($"mkfs.{fileSystem}", ["-q", .. options, image]), $"mkfs.{fileSystem} is not installed.");
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

    /// <summary>As if the disk could not read and write any more behind its first bytes: an I/O error.</summary>
    public void Break(long bytes)
    {
        Skip.Unless(TryRun("losetup", "--version"), "losetup is not installed.");
        Resize(bytes);
    }

    /// <summary>Reads and writes everywhere again; what was written meanwhile is lost.</summary>
    public void Mend() => Resize(_bytes);

    /// <summary>As ext4 does it when it finds itself damaged, whatever files are open.</summary>
    public void TurnReadOnly(string folder)
    {
        Tool.Run("mount", "-o", "remount,errors=remount-ro", folder);
        string trigger = $"/sys/fs/ext4/{Path.GetFileName(Device)}/trigger_fs_error";
        Skip.Unless(File.Exists(trigger), "The kernel has no way to make ext4 fail.");
        File.WriteAllText(trigger, "test");
    }

    private string Device => Tool.Run("losetup", "--associated", Image, "--noheadings", "--output", "NAME").Trim();

    private void Resize(long bytes)
    {
        using (FileStream file = File.OpenWrite(Image))
        {
            file.SetLength(bytes);
        }

        Tool.Run("losetup", "--set-capacity", Device);
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
