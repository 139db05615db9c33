namespace NasBackup.Simulation.Cluster;

/// <summary>That a seed means what it always has.</summary>
public sealed class ContentRandomTests
{
    [Fact]
    public void Its_numbers_and_bytes_are_those_of_the_library()
    {
        foreach (int seed in (int[])[0, 1, -7, 42, int.MaxValue, int.MinValue, 161803398, .. Enumerable.Range(1000, 200)])
        {
            (Random expected, Random random) = (new Random(seed), new ContentRandom(seed));
            for (int round = 0; round < 20; round++)
            {
                byte[] bytes = new byte[random.Next(700)];
                Assert.Equal(expected.Next(700), bytes.Length);
                random.NextBytes(bytes);
                byte[] wanted = new byte[bytes.Length];
                expected.NextBytes(wanted);
                Assert.Equal(wanted, bytes);
                Assert.Equal(expected.NextDouble(), random.NextDouble());
                Assert.Equal(expected.Next(), random.Next());
            }
        }
    }
}
