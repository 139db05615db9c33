using System.Runtime.InteropServices;

namespace NasBackup.Files;

/// <summary>One extended attribute. A POSIX ACL is one too, under a name of the system's.</summary>
/// <param name="Name">With its namespace (<c>user.comment</c>); bytes, as the system keeps it.</param>
/// <param name="Value">Bytes; may be empty.</param>
[StructLayout(LayoutKind.Auto)]
public readonly record struct ExtendedAttribute(FilePath Name, byte[] Value)
{
    /// <summary>Whether it is a POSIX ACL: who may do what, or what new files in a folder get of that.</summary>
    public bool IsAcl => Name.Bytes.SequenceEqual("system.posix_acl_access"u8) || Name.Bytes.SequenceEqual("system.posix_acl_default"u8);

    /// <summary>
    /// Whether it belongs to the file and is backed up: ACLs, and all of <c>user.</c>, <c>trusted.</c> and
    /// <c>security.</c>. Others (<c>system.nfs4_acl</c>, <c>btrfs.</c>, <c>ceph.</c>) are a file system's own view of a file.
    /// </summary>
    public bool IsKept => IsAcl
        || Name.Bytes.StartsWith("user."u8) || Name.Bytes.StartsWith("trusted."u8) || Name.Bytes.StartsWith("security."u8);
}

/// <summary>The extended attributes of one file that are to be kept, in byte order of their names.</summary>
public sealed class ExtendedAttributes
{
    /// <summary>There are none.</summary>
    public static ExtendedAttributes None { get; } = new([]);

    /// <summary>Takes attributes in any order.</summary>
    public ExtendedAttributes(IEnumerable<ExtendedAttribute> items, bool isIncomplete = false)
    {
        ExtendedAttribute[] sorted = [.. items];
        Array.Sort(sorted, static (left, right) => left.Name.CompareTo(right.Name));
        Items = sorted;
        IsIncomplete = isIncomplete;
    }

    public IReadOnlyList<ExtendedAttribute> Items { get; }

    /// <summary>Whether the file has others that this process may not read.</summary>
    public bool IsIncomplete { get; }

    public bool IsEmpty => Items.Count == 0;

    /// <summary>Whether both say the same, to the byte.</summary>
    public bool IsSameAs(ExtendedAttributes other)
    {
        if (Items.Count != other.Items.Count)
        {
            return false;
        }

        for (int i = 0; i < Items.Count; i++)
        {
            if (Items[i].Name != other.Items[i].Name || !Items[i].Value.AsSpan().SequenceEqual(other.Items[i].Value))
            {
                return false;
            }
        }

        return true;
    }
}
