using NasBackup.Files;

namespace NasBackup.Transfer;

/// <summary>What a device cannot keep.</summary>
[Flags]
internal enum DeviceLack
{
    None = 0,
    HardLinks = 1,
    /// <summary>Names that are not valid UTF-8.</summary>
    BytesInNames = 1 << 1,
    /// <summary>Control characters in names, line ends among them.</summary>
    ControlCharacters = 1 << 2,
    /// <summary>The characters that Windows keeps for itself, and a dot or blank at the end.</summary>
    SpecialCharacters = 1 << 3,
    /// <summary>Names of 255 bytes.</summary>
    LongNames = 1 << 4,
    /// <summary>Two names that differ in case only.</summary>
    Case = 1 << 5,
    SymbolicLinks = 1 << 6,
    Fifos = 1 << 7,
    DeviceNodes = 1 << 8,
    Owner = 1 << 9,
    Mode = 1 << 10,
    Times = 1 << 11,
    Attributes = 1 << 12,
    Acl = 1 << 13,
    /// <summary>To set owner and times of a symbolic link without changing the file that it points to.</summary>
    MetadataOfLinks = 1 << 14,
}

/// <summary>
/// Finds out what a device keeps, by trying it in a folder of its own: what is tried is believed, not what a file system is
/// called. What it cannot keep is said when the plan is made, not file by file at the end.
/// </summary>
internal sealed class DeviceProbe
{
    private const int ProbedMode = 0x9E9;                            // 04751
    private const long ProbedTime = 1_000_000_001_234_567_891;
    private const long CoarsestTime = 2_000_000_000;                 // of FAT, in nanoseconds
    private const uint ProbedOwner = 12345;

    // A POSIX ACL, version 2: user::rw-, user:12345:r--, group::r--, mask::r--, other::---
    private static readonly byte[] ProbedAcl = Convert.FromHexString(
        "02000000" + "01000600FFFFFFFF" + "0200040039300000" + "04000400FFFFFFFF" + "10000400FFFFFFFF" + "20000000FFFFFFFF");

    private readonly IFileTree _device;
    private readonly FilePath _folder;

    private DeviceProbe(IFileTree device, FilePath folder)
    {
        _device = device;
        _folder = folder;
    }

    /// <summary>Who a new file belongs to.</summary>
    public (uint Owner, uint Group) NewFileOwner { get; private set; }

    public DeviceLack Lacks { get; private set; }

    /// <summary>Tries everything; what it made it removes.</summary>
    /// <param name="device">The device.</param>
    /// <param name="folder">A folder that does not exist; its parent does.</param>
    /// <exception cref="FileSystemException">Not even a plain file can be made.</exception>
    public static DeviceProbe Run(IFileTree device, FilePath folder)
    {
        var probe = new DeviceProbe(device, folder);
        device.CreateDirectory(folder);
        try
        {
            probe.TryMetadata();
            probe.TryKinds();
            probe.TryMetadataOfLinks();
            probe.TryNames();
            return probe;
        }
        finally
        {
            probe.Clean();
        }
    }

    private void TryMetadata()
    {
        FilePath path = _folder.Combine("file");
        FileMetadata made;
        using (IFileHandle file = MakeFile(path))
        {
            made = file.GetStatus().Metadata;
            NewFileOwner = (made.Owner, made.Group);
            file.Write("probe"u8);
            MetadataLoss lost = file.SetMetadata(made with { Mode = ProbedMode, ModifiedTime = ProbedTime });
            FileMetadata kept = file.GetStatus().Metadata;
            Lack(DeviceLack.Mode, lost.HasFlag(MetadataLoss.Mode) || kept.Mode != ProbedMode);
            Lack(DeviceLack.Times, lost.HasFlag(MetadataLoss.Times) || kept.ModifiedTime != ProbedTime);

            var attributes = new ExtendedAttributes(
                [new ExtendedAttribute(FilePath.FromText("user.nasbackup.probe"), [1]), new ExtendedAttribute(FilePath.FromText("system.posix_acl_access"), ProbedAcl)]);
            lost = file.SetMetadata(made, attributes);
            ExtendedAttributes found = ReadAttributes(path);
            Lack(DeviceLack.Attributes, lost.HasFlag(MetadataLoss.Attributes) || !found.Items.Any(item => !item.IsAcl));
            Lack(DeviceLack.Acl, lost.HasFlag(MetadataLoss.Acl) || !found.Items.Any(item => item.IsAcl));

            lost = file.SetMetadata(made with { Owner = ProbedOwner, Group = ProbedOwner });
            kept = file.GetStatus().Metadata;
            Lack(DeviceLack.Owner, lost.HasFlag(MetadataLoss.Owner) || kept.Owner != ProbedOwner || kept.Group != ProbedOwner);
            file.Close();
        }

        FilePath link = _folder.Combine("link");
        Lack(DeviceLack.HardLinks, !SucceedsForSure(() => Link(path, link)) || !SucceedsForSure(() => ExpectSameFile(path, link)));
    }

    /// <summary>A network file system may refuse a link once, or say so of one that it has made; what refuses it each time has none.
    /// Whether a name that is there is the right one is looked at afterwards.</summary>
    private void Link(FilePath existing, FilePath added)
    {
        const int Attempts = 3;
        for (int attempt = 1; ; attempt++)
        {
            try
            {
                _device.Link(existing, added);
                return;
            }
            catch (FileSystemException e) when (e.Problem is FileProblem.AlreadyExists)
            {
                return;
            }
            catch (FileSystemException e) when (e.Problem is FileProblem.AccessDenied && attempt < Attempts)
            {
                // It is tried again.
            }
        }
    }

    /// <summary>Both names lead to one file: what is written by one is read by the other. The number of links proves nothing
    /// against it, since some do not tell it (sshfs says 1 of every file).</summary>
    private void ExpectSameFile(FilePath written, FilePath read)
    {
        if (_device.GetStatus(written).Links == 2)
        {
            return;
        }

        // As long as what stands there: the other name's length may still be that of before.
        byte[] text = "again"u8.ToArray();
        using (IFileHandle file = _device.OpenReadWrite(written))
        {
            file.WriteAt(text, 0);
            file.Close();
        }

        using IFileHandle other = _device.OpenRead(read);
        byte[] found = new byte[text.Length];
        Expect(other.ReadAt(found, 0) == text.Length && found.AsSpan().SequenceEqual(text));
    }

    private void TryKinds()
    {
        FilePath link = _folder.Combine("symbolic link");
        byte[] target = [.. "no text \n"u8, 0xFF];
        Lack(DeviceLack.SymbolicLinks, !Succeeds(() => _device.CreateSymbolicLink(link, target)) || !Succeeds(() => Expect(_device.ReadLink(link).AsSpan().SequenceEqual(target))));
        Lack(DeviceLack.Fifos, !Succeeds(() => _device.CreateSpecial(_folder.Combine("fifo"), EntryKind.Fifo, 0)));
        // /dev/null, which harms nobody who opens it.
        Lack(DeviceLack.DeviceNodes, !Succeeds(() => _device.CreateSpecial(_folder.Combine("node"), EntryKind.CharacterDevice, 0x103)));
    }

    /// <summary>What follows the link would give away or touch whatever a user's link points to, anywhere on the server.</summary>
    private void TryMetadataOfLinks()
    {
        FilePath target = _folder.Combine("target");
        FilePath pointer = _folder.Combine("pointer");
        FileMetadata made;
        using (IFileHandle file = MakeFile(target))
        {
            made = file.GetStatus().Metadata;
        }

        if (!Succeeds(() => _device.CreateSymbolicLink(pointer, target.Name))
            || !Succeeds(() => _device.SetMetadata(pointer, made with { ModifiedTime = ProbedTime }, EntryKind.SymbolicLink)))
        {
            return;
        }

        // Under another name: what is known of this one may be of before.
        FilePath fresh = _folder.Combine("fresh");
        bool isLinked = Succeeds(() => _device.Link(target, fresh));
        Lack(DeviceLack.MetadataOfLinks, Math.Abs(_device.GetStatus(isLinked ? fresh : target).Metadata.ModifiedTime - ProbedTime) <= CoarsestTime);
    }

    private void TryNames()
    {
        (DeviceLack Lack, byte[] Name)[] names =
        [
            (DeviceLack.BytesInNames, [(byte)'b', 0xFF, 0xFE]),
            (DeviceLack.ControlCharacters, "line\nend\u0001"u8.ToArray()),
            (DeviceLack.SpecialCharacters, "special:*?\"<>|\\"u8.ToArray()),
            (DeviceLack.SpecialCharacters, "end. "u8.ToArray()),
            (DeviceLack.LongNames, [.. Enumerable.Repeat((byte)'n', 255)]),
            (DeviceLack.Case, "Case"u8.ToArray()),
            (DeviceLack.Case, "cASE"u8.ToArray()),
        ];
        foreach ((DeviceLack lack, byte[] name) in names)
        {
            Lack(lack, !Succeeds(() => _device.CreateNew(_folder.Combine(name)).Dispose()));
        }

        // Some file systems take a name and keep another.
        HashSet<FilePath> kept = [.. _device.ReadDirectory(_folder, withStatus: false).Select(item => new FilePath(item.Name))];
        foreach ((DeviceLack lack, byte[] name) in names)
        {
            Lack(lack, !kept.Contains(new FilePath(name)));
        }
    }

    /// <summary>Makes a file in the folder that is this probe's alone. What is said to be there already was made here, and the reply
    /// was lost: an error that may pass.</summary>
    private IFileHandle MakeFile(FilePath path)
    {
        try
        {
            return _device.CreateNew(path);
        }
        catch (FileSystemException e) when (e.Problem is FileProblem.AlreadyExists)
        {
            throw new FileSystemException(FileProblem.InputOutput, "create", $"{_device.RootPath}/{path}", "it is said to be there already, in a folder that was made a moment ago", e);
        }
    }

    private ExtendedAttributes ReadAttributes(FilePath path)
    {
        using IFileHandle file = _device.OpenRead(path);
        return file.GetAttributes();
    }

    private void Lack(DeviceLack lack, bool isMissing) => Lacks |= isMissing ? lack : DeviceLack.None;

    private static void Expect(bool condition)
    {
        if (!condition)
        {
            throw new FileSystemException(FileProblem.Other, "keep", "", "what came back is not what was written");
        }
    }

    /// <summary>As below, for what a device is refused for: an error that may pass says nothing about the device, and is the caller's.</summary>
    /// <exception cref="FileSystemException">An I/O error, or the device went away.</exception>
    private static bool SucceedsForSure(Action attempt)
    {
        FileSystemException? passing = null;
        bool succeeds = Succeeds(() =>
        {
            try
            {
                attempt();
            }
            catch (FileSystemException e) when (e.Problem is FileProblem.InputOutput or FileProblem.Stale or FileProblem.NotFound)
            {
                passing = e;
            }
        });
        return passing is null ? succeeds : throw passing;
    }

    private static bool Succeeds(Action attempt)
    {
        try
        {
            attempt();
            return true;
        }
        catch (FileSystemException e) when (!e.IsDeviceWide)
        {
            return false;
        }
    }

    private void Clean()
    {
        try
        {
            foreach (DirectoryItem item in _device.ReadDirectory(_folder, withStatus: false))
            {
                _device.Delete(_folder.Combine(item.Name));
            }

            _device.DeleteDirectory(_folder);
        }
        catch (FileSystemException)
        {
            // It lies in the set's folder and takes no room worth speaking of.
        }
    }
}
