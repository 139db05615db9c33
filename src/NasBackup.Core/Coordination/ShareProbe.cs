using System.Runtime.ExceptionServices;
using NasBackup.Files;

namespace NasBackup.Coordination;

/// <summary>
/// Finds out whether a file system can decide races, before anything depends on it: several writers publish to the same
/// slots, and all must see the same winner of each. What is tried is believed, not what a manual says.
/// </summary>
internal static class ShareProbe
{
    private const int Rounds = 8;

    /// <summary>A race of two threads of this process in a folder of its own, which is removed afterwards.</summary>
    /// <param name="share">The file system: the share, or a device that is published on by the same rules.</param>
    /// <param name="folder">A folder for the race; it need not exist.</param>
    /// <returns>Whether both saw the same winners.</returns>
    /// <exception cref="FileSystemException">It cannot be published on at all.</exception>
    public static bool RaceAlone(Share share, FilePath folder)
    {
        share.MakeFolder(folder);
        string[][] seen = new string[2][];
        ExceptionDispatchInfo? problem = null;
        INodeThread other = share.Runtime.Start("probe", () =>
        {
            try
            {
                seen[1] = Race(share, folder);
            }
            catch (FileSystemException e)
            {
                problem = ExceptionDispatchInfo.Capture(e);
            }
        });
        try
        {
            seen[0] = Race(share, folder);
        }
        finally
        {
            // Nobody races on when this one has given up.
            other.Join();
        }

        problem?.Throw();
        share.RemoveFolder(folder);
        return seen[0].AsSpan().SequenceEqual(seen[1]);
    }

    /// <summary>
    /// A race with whoever else starts at about the same time, each on its own machine: that is what the share is for. Each
    /// racer leaves on the share what it saw, and reads what the others left; who is alone has only itself to agree with,
    /// and its word stays for those who come later.
    /// </summary>
    /// <returns>The name of a racer who saw another winner, or null.</returns>
    /// <exception cref="FileSystemException">The share cannot be published on at all.</exception>
    public static string? RaceWithOthers(Share share, FilePath folder, string racer)
    {
        FilePath views = folder.Combine("seen");
        share.MakeFolder(views);
        string[] mine = Race(share, folder);
        share.Publish(views, racer, new RaceDocument(mine), CoordinationJson.Default.RaceDocument);
        return share.ListNames(views).FirstOrDefault(other =>
            share.TryRead(views.Combine(other), CoordinationJson.Default.RaceDocument) is { Winners: { } theirs } && !theirs.SequenceEqual(mine));
    }

    private static string[] Race(Share share, FilePath folder)
    {
        var me = new Identity("probe", share.Tokens.Next(8));
        return [.. Enumerable.Range(1, Rounds).Select(round => share.Publish(
            folder, $"{round}", me.Slot(share, SlotKind.Taken), CoordinationJson.Default.SlotDocument).Token)];
    }
}

/// <summary>What one racer saw: the tokens of the winners, round by round.</summary>
internal sealed record RaceDocument(IReadOnlyList<string> Winners);
