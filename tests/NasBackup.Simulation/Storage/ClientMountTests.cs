using NasBackup.Files;

namespace NasBackup.Simulation.Storage;

/// <summary>What the simulated storage promises to those who sync.</summary>
public sealed class ClientMountTests
{
    [Fact]
    public void What_a_server_lost_while_a_file_was_synced_it_is_sent_again()
    {
        for (int seed = 0; seed < 20; seed++)
        {
            var volume = new Volume("device", 1, static () => 0) { KeepsNamesAtOnce = true };
            Inode file = volume.Create(volume.Root, FilePath.FromText("file"), EntryKind.File, "create");
            var mount = new ClientMount(volume, new Random(seed), static () => 0, cacheTicks: 0, static _ => { });
            mount.Write(file, 0, "first"u8.ToArray());
            mount.Write(file, 5, " and second"u8.ToArray());
            int pieces = 0;

            mount.Sync(file, between: () =>
            {
                if (++pieces == 2)
                {
                    volume.Crash(new Random(seed));
                }
            });

            Assert.Equal("first and second"u8, file.DurableData.Span);
        }
    }
}
