using System.Text;
using System.Text.Json;
using NasBackup.Files;
using NasBackup.Formats;
using NasBackup.Planning;

namespace NasBackup.Tests.Planning;

/// <summary>Lines of lists and manifests are read by a short way where they are as usual; it must never say anything else than the general reader.</summary>
public sealed class EntryLineTests
{
    private const int Lines = 20_000;

    [Fact]
    public void A_usual_line_is_read_the_short_way_as_it_is_read_the_long_way()
    {
        var random = new Random(1);
        int shortly = 0;
        for (int i = 0; i < Lines; i++)
        {
            Entry entry = AnyEntry(random);
            byte[] line = Write(entry);

            Fields(Read(line)!.Value, entry);
            var cursor = new LineCursor(line);
            if (EntryLine.TryRead(ref cursor, out EntryFields fields) && cursor.Take("}"u8) && cursor.IsAtEnd)
            {
                Fields(fields, entry);
                shortly++;
            }
        }

        Assert.InRange(shortly, Lines / 10, Lines);
    }

    [Fact]
    public void A_line_that_was_changed_is_never_read_the_short_way_as_something_else()
    {
        var random = new Random(2);
        int shortly = 0;
        for (int i = 0; i < Lines * 5; i++)
        {
            byte[] line = Write(AnyEntry(random));
            for (int change = random.Next(1, 3); change > 0; change--)
            {
                line[random.Next(line.Length)] = random.Next(3) == 0 ? (byte)random.Next(256) : line[random.Next(line.Length)];
            }

            var cursor = new LineCursor(line);
            if (EntryLine.TryRead(ref cursor, out EntryFields fields) && cursor.Take("}"u8) && cursor.IsAtEnd)
            {
                EntryFields? general = Read(line);
                Assert.True(general is not null, Encoding.UTF8.GetString(line));
                Fields(fields, general.Value);
                shortly++;
            }
        }

        Assert.True(shortly > 100);
    }

    private static Entry AnyEntry(Random random)
    {
        string[] names = ["a", "folder/file", "é/ü", "with \"quote\"", "back\\slash", "tab\there", "{\"sum\"", "f00001", new string('x', 255)];
        EntryKind kind = random.Next(4) == 0 ? (EntryKind)random.Next(6) : EntryKind.File;
        byte[] path = random.Next(10) == 0 ? [0xFF, (byte)'x'] : Encoding.UTF8.GetBytes(names[random.Next(names.Length)]);
        long size = kind is EntryKind.File ? random.NextInt64(random.Next(2) == 0 ? 1000 : long.MaxValue) : 0;
        long changed = random.Next(3) switch { 0 => 0, 1 => random.NextInt64(), _ => -random.NextInt64(10_000_000_000) };
        return new Entry
        {
            Source = random.Next(5) == 0 ? random.Next(1, 4) : 0,
            Path = new FilePath(path),
            Status = new FileStatus(
                kind,
                size,
                new FileMetadata(random.NextInt64(4_000_000_000_000_000_000), random.Next(0x1000), (uint)random.NextInt64(uint.MaxValue + 1L), (uint)random.Next(2000)),
                changed,
                random.Next(4) == 0 ? 0 : (ulong)random.NextInt64(),
                (ulong)random.NextInt64(1000),
                random.Next(4) == 0 ? 3u : 1,
                0),
            OtherNames = random.Next(8) == 0 ? [FilePath.FromText("another")] : null,
        };
    }

    private static byte[] Write(Entry entry)
    {
        using var stream = new MemoryStream();
        using (var json = new Utf8JsonWriter(stream, new JsonWriterOptions { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
        {
            json.WriteStartObject();
            EntryJson.WriteFields(json, entry, entry.Status);
            json.WriteEndObject();
        }

        return stream.ToArray();
    }

    private static EntryFields? Read(byte[] line)
    {
        try
        {
            var json = new Utf8JsonReader(line);
            EntryFields fields = default;
            json.Read();
            while (json.Read() && json.TokenType == JsonTokenType.PropertyName)
            {
                if (!fields.TryRead(ref json))
                {
                    json.Skip();
                }
            }

            return fields;
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or FormatException)
        {
            return null;
        }
    }

    private static void Fields(EntryFields found, Entry expected)
    {
        Assert.Equal(expected.Path.Bytes.ToArray(), found.Path.Bytes.ToArray());
        Assert.Equal(expected.Source, found.Source);
        Assert.Equal(expected.Status with { FileSystem = expected.Status.Inode == 0 ? 0 : expected.Status.FileSystem, Links = LinksOf(expected) }, found.ToStatus());
        Assert.Equal(expected.OtherNames?.Count ?? 0, found.Names?.Count ?? 0);
    }

    private static uint LinksOf(Entry entry) => entry.Kind is EntryKind.Directory ? 1 : entry.Status.Links;

    private static void Fields(EntryFields found, EntryFields expected)
    {
        Assert.Equal(expected.Path.Bytes.ToArray(), found.Path.Bytes.ToArray());
        Assert.Equal((expected.Source, expected.HasPath, expected.HasKind), (found.Source, found.HasPath, found.HasKind));
        Assert.Equal(expected.ToStatus(), found.ToStatus());
        Assert.Equal(expected.Names?.Count ?? 0, found.Names?.Count ?? 0);
    }
}
