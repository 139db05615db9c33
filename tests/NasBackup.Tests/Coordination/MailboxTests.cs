using System.Globalization;
using NasBackup.Coordination;

namespace NasBackup.Tests.Coordination;

/// <summary>Word from node to node, where not all read all records.</summary>
public sealed class MailboxTests : IDisposable
{
    private readonly TestShare _share = new();
    private readonly PlanFolder _folder;
    private readonly Mailbox _box;

    public MailboxTests()
    {
        _folder = _share.Request();
        _box = new Mailbox(_folder, new Identity("nasA", "aaaaaaaa"));
    }

    public void Dispose() => _share.Dispose();

    [Fact]
    public void Each_mail_is_read_once()
    {
        _box.Make();
        var other = new Mailbox(_folder, new Identity("nasB", "bbbbbbbb"));
        Assert.Empty(_box.ReadNew());

        Assert.True(other.TrySend("nasA.aaaaaaaa"));
        Assert.Equal(["nasB.bbbbbbbb"], _box.ReadNew());
        Assert.Empty(_box.ReadNew());

        Assert.True(other.TrySend("nasA.aaaaaaaa"));
        Assert.Equal(["nasB.bbbbbbbb"], _box.ReadNew());
    }

    [Fact]
    public void Mail_to_one_that_has_made_no_box_yet_is_kept()
    {
        Assert.True(new Mailbox(_folder, new Identity("nasB", "bbbbbbbb")).TrySend("nasA.aaaaaaaa"));
        _box.Make();

        Assert.Equal(["nasB.bbbbbbbb"], _box.ReadNew());
    }

    [Fact]
    public void Many_senders_cost_some_mails_and_nothing_else()
    {
        for (int i = 0; i < 50; i++)
        {
            Assert.True(new Mailbox(_folder, new Identity($"nas{i}", string.Create(CultureInfo.InvariantCulture, $"{i:x8}"))).TrySend("nasA.aaaaaaaa"));
        }

        Assert.InRange(_box.ReadNew().Count, 8, Mailbox.Places);
    }

    [Fact]
    public void A_damaged_mail_is_passed_over()
    {
        Assert.True(new Mailbox(_folder, new Identity("nasB", "bbbbbbbb")).TrySend("nasA.aaaaaaaa"));
        Assert.True(new Mailbox(_folder, new Identity("nasC", "cccccccc")).TrySend("nasA.aaaaaaaa"));
        int place = File.ReadAllBytes(_share.PathOf(_folder.Mail("nasA.aaaaaaaa"))).AsSpan().IndexOf((byte)'{');
        _share.Damage(_folder.Mail("nasA.aaaaaaaa"), place + 20, "?"u8);

        Assert.Single(_box.ReadNew());
    }

    [Fact]
    public void Mail_of_one_that_is_no_more_can_be_read_by_others()
    {
        Assert.True(new Mailbox(_folder, new Identity("nasB", "bbbbbbbb")).TrySend("nasA.aaaaaaaa"));

        Assert.Equal("nasB.bbbbbbbb", Assert.Single(Mailbox.Read(_folder, "nasA.aaaaaaaa")).From);
        Assert.Empty(Mailbox.Read(_folder, "nasC.cccccccc"));
    }
}
