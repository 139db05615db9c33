using System.Runtime.InteropServices;

namespace NasBackup.Files;

/// <content>Opening files.</content>
public sealed unsafe partial class LinuxFileTree
{
    private const string OpenAction = "open";
    private const string CreateAction = "create";

    /// <inheritdoc/>
    public IFileHandle OpenRead(FilePath path)
    {
        // Not blocking, so that a FIFO is found out instead of waited for.
        int flags = LinuxCalls.ReadOnly | LinuxCalls.NonBlocking | LinuxCalls.NoAccessTime;
        (int result, _) = OpenFile(OpenAction, path, flags);
        if (result == -LinuxErrors.NotPermitted)
        {
            // Only the owner may read without leaving a trace.
            flags &= ~LinuxCalls.NoAccessTime;
            (result, _) = OpenFile(OpenAction, path, flags);
        }

        if (result == -LinuxErrors.TryAgain)
        {
            // A regular file on which a file server holds a lease: wait until that is given back.
            (result, _) = OpenFile(OpenAction, path, flags & ~LinuxCalls.NonBlocking);
        }

        return Handle(OpenAction, path, result);
    }

    /// <inheritdoc/>
    public IFileHandle CreateNew(FilePath path)
    {
        (int result, DirectoryDescriptor? directory) = OpenFile(CreateAction, path, LinuxCalls.WriteOnly | LinuxCalls.Create | LinuxCalls.Exclusive);
        Check(result, CreateAction, path);
        return new LinuxFileHandle(this, path, result, directory);
    }

    /// <inheritdoc/>
    public IFileHandle OpenReadWrite(FilePath path)
    {
        (int result, _) = OpenFile(OpenAction, path, LinuxCalls.ReadWrite | LinuxCalls.Create | LinuxCalls.NonBlocking);
        return Handle(OpenAction, path, result);
    }

    private (int Result, DirectoryDescriptor? Directory) OpenFile(string action, FilePath path, int flags)
    {
        (int Flags, DirectoryDescriptor? Directory) state = (flags | LinuxCalls.NoLastLink | LinuxCalls.CloseOnExec, null);
        int result = Call(action, path, ref state, static (directory, name, ref state) =>
        {
            state.Directory = directory;
            return LinuxCalls.OpenAt(directory.Number, name, state.Flags, NewFileMode);
        });
        return (result, state.Directory);
    }

    /// <summary>The handle of an existing file, if it is a regular one.</summary>
    private LinuxFileHandle Handle(string action, FilePath path, int descriptor)
    {
        Check(descriptor, action, path);
        var handle = new LinuxFileHandle(this, path, descriptor, madeIn: null);
        try
        {
            EntryKind kind = handle.LookWhenOpened().Kind;
            return kind switch
            {
                EntryKind.File => handle,
                EntryKind.Directory => throw LinuxErrors.ToException(LinuxErrors.IsADirectory, action, Show(path)),
                _ => throw new FileSystemException(FileProblem.NotSupported, action, Show(path), $"it is not a regular file ({kind})"),
            };
        }
        catch
        {
            handle.Dispose();
            throw;
        }
    }
}
