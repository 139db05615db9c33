using System.Buffers;
using System.Text;
using NasBackup.Files;
using NasBackup.Formats;

namespace NasBackup.Coordination;

/// <summary>A word to one incarnation: look at my record, there is something for you.</summary>
/// <param name="From">The name of the sender's record.</param>
/// <param name="Number">Rises with each that the sender sends.</param>
internal sealed record MailDocument(string From, long Number) : IChecked
{
    public void Check()
    {
        DocumentFields.FileName(From, "from");
        FieldRules.Require(!From.StartsWith('.') && From.LastIndexOf('.') > 0, "from is not the name of a record");
        FieldRules.NotNegative(Number, "number");
    }
}

/// <summary>
/// Where nobody reads all records, news finds its reader by mail: a file for each incarnation, <c>mail/NODE.INCARNATION</c>,
/// of sixteen places, each a sealed line that is padded with blanks. Each sender has one place in it, by the hash of its
/// name, and writes there when it has something for that reader. Two with the same place overwrite each other, and a mail
/// may be torn: it is only a hint, and what it points to is found later without it.
/// </summary>
internal sealed class Mailbox(PlanFolder folder, Identity me)
{
    public const int Places = 16;
    public const int PlaceLength = 4096;

    private readonly string _name = $"{me.Node}.{me.Incarnation}";
    private readonly Dictionary<string, long> _read = new(StringComparer.Ordinal);
    private long _sent;

    /// <summary>Makes the file, so that a reader who looks for it is not told from a cache that there is none.</summary>
    public void Make() => Open(_name).Dispose();

    /// <summary>Sends a mail.</summary>
    /// <param name="to">The name of the reader's record.</param>
    /// <returns>Whether it could be written; nothing depends on it.</returns>
    public bool TrySend(string to)
    {
        int place = PlaceOf(_name);
        byte[] line = folder.Share.Sealer.Seal(new MailDocument(_name, Interlocked.Increment(ref _sent)), CoordinationJson.Default.MailDocument, PlaceName(to, place));
        var bytes = new byte[PlaceLength];
        if (line.Length >= bytes.Length)
        {
            return false;
        }

        line.CopyTo(bytes, 0);
        bytes.AsSpan(line.Length).Fill((byte)' ');
        bytes[^1] = (byte)'\n';
        try
        {
            using IFileHandle handle = Open(to);
            handle.WriteAt(bytes, (long)place * PlaceLength);
            handle.Sync();
            handle.Close();
            return true;
        }
        catch (FileSystemException)
        {
            return false;
        }
    }

    /// <summary>Names of the records of those who have sent a mail since the last reading.</summary>
    public IReadOnlyList<string> ReadNew()
        => [.. Read(folder, _name).Where(mail => _read.GetValueOrDefault(mail.From, -1) != mail.Number && (_read[mail.From] = mail.Number) >= 0).Select(mail => mail.From)];

    /// <summary>Who has sent a mail to an incarnation.</summary>
    /// <param name="folder">The plan.</param>
    /// <param name="name">The name of the reader's record.</param>
    /// <returns>What can be read; empty where that is nothing.</returns>
    public static IReadOnlyList<MailDocument> Read(PlanFolder folder, string name)
    {
        byte[] places = ArrayPool<byte>.Shared.Rent(Places * PlaceLength);
        try
        {
            using IFileHandle handle = folder.Share.Tree.OpenRead(folder.Mail(name));
            int length = handle.ReadAt(places.AsSpan(0, Places * PlaceLength), 0);
            var found = new List<MailDocument>();
            for (int place = 0; place * PlaceLength < length; place++)
            {
                ReadOnlySpan<byte> line = places.AsSpan(place * PlaceLength, Math.Min(PlaceLength, length - (place * PlaceLength)));
                if (line[0] != 0
                    && folder.Share.Sealer.TryOpen(line, CoordinationJson.Default.MailDocument, $"{folder.Mail(name)}#{place}", out _) is { } mail
                    && PlaceOf(mail.From) == place)
                {
                    found.Add(mail);
                }
            }

            return found;
        }
        catch (FileSystemException)
        {
            return [];
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(places);
        }
    }

    private static int PlaceOf(string sender) => (int)(Hash128.Of(Encoding.UTF8.GetBytes(sender)).Low % Places);

    private string PlaceName(string to, int place) => $"{folder.Mail(to)}#{place}";

    private IFileHandle Open(string name)
    {
        try
        {
            return folder.Share.Tree.OpenReadWrite(folder.Mail(name));
        }
        catch (FileSystemException e) when (e.Problem is FileProblem.NotFound)
        {
            folder.Share.MakeFolder(folder.Mail(name).Parent);
            return folder.Share.Tree.OpenReadWrite(folder.Mail(name));
        }
    }
}
