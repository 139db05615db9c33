using System.Globalization;

namespace NasBackup.Files;

/// <summary>File systems by the number that statfs gives (linux/magic.h).</summary>
internal static class LinuxFileSystems
{
    /// <summary>The file system's name, and whether syncfs makes everything on it durable at once.</summary>
    /// <remarks>
    /// syncfs does not reach the server behind FUSE, and what SMB and 9p do with it depends on the server: there each
    /// file is synced. So is everything that is not known here, which costs time but no data.
    /// </remarks>
    internal static (string Name, bool SyncsAsOne) Describe(long type) => (uint)type switch
    {
        0xEF53 => ("ext4", true),
        0x58465342 => ("xfs", true),
        0x9123683E => ("btrfs", true),
        0x01021994 => ("tmpfs", true),
        0x858458F6 => ("ramfs", true),
        0x794C7630 => ("overlay", true),
        0x2FC12FC1 => ("zfs", true),
        0xF2F52010 => ("f2fs", true),
        0xCA451A4E => ("bcachefs", true),
        0x6969 => ("nfs", true),
        0x00C36400 => ("ceph", true),
        0x65735546 => ("fuse", false),
        0xFF534D42 or 0x517B => ("cifs", false),
        0xFE534D42 => ("smb2", false),
        0x01021997 => ("9p", false),
        0x4D44 => ("vfat", false),
        0x2011BAB0 => ("exfat", false),
        0x7366746E => ("ntfs3", false),
        0x01161970 => ("gfs2", false),
        0x7461636F => ("ocfs2", false),
        0x0BD00BD0 => ("lustre", false),
        0x47504653 => ("gpfs", false),
        0x73717368 => ("squashfs", false),
        0x9660 => ("iso9660", false),
        _ => ($"0x{(uint)type:x}", false),
    };

    /// <summary>What serves a file system behind FUSE ("fuse.sshfs", "fuse.glusterfs", "fuseblk"), as the list of mounts
    /// names it; "fuse" where it is not in there.</summary>
    internal static string DescribeFuse(uint major, uint minor)
    {
        const string Unknown = "fuse";
        try
        {
            // 36 35 0:45 / /mnt rw,nosuid shared:1 - fuse.sshfs root@host:/export rw
            string device = string.Create(CultureInfo.InvariantCulture, $"{major}:{minor}");
            foreach (string line in File.ReadLines("/proc/self/mountinfo"))
            {
                string[] fields = line.Split(' ');
                int separator = Array.IndexOf(fields, "-");
                if (fields.Length > 2 && fields[2] == device && separator > 0 && separator + 1 < fields.Length && fields[separator + 1].StartsWith(Unknown, StringComparison.Ordinal))
                {
                    return fields[separator + 1];
                }
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Without /proc.
        }

        return Unknown;
    }

    /// <summary>Whether setting owner and times of a symbolic link changes the file that it points to, on the server: SFTP's
    /// request for it follows links.</summary>
    internal static bool ChangesTargetsOfLinks(string name) => name is "fuse.sshfs";
}
