namespace NasBackup.Planning;

/// <summary>A node beside the one that gives work away.</summary>
/// <param name="SecondsLeft">What it needs for the work that it has.</param>
/// <param name="Speed">How many times as fast as the giver it does the giver's work.</param>
internal readonly record struct Peer(double SecondsLeft, double Speed);

/// <summary>
/// When all end together (F4): the work that is left, divided by the speed of all that live. Whoever asks for work gets what
/// keeps it busy until then, and no more: what the others could do stays where it is until they ask, however soon after the
/// first one that may be.
/// </summary>
internal static class CommonEnd
{
    /// <summary>What is worth less to the one that gets it is not given; where many ask for little, the first of them get it.</summary>
    private const double LeastSecondsTaken = 0.25;

    /// <summary>Seconds from now. Those that need longer than the giver do not count: they have others to ask, and may have one
    /// file in hand that nobody can take from them.</summary>
    /// <param name="secondsLeft">What the giver needs for the work that it has.</param>
    /// <param name="others">All others that can work.</param>
    public static double Of(double secondsLeft, IEnumerable<Peer> others)
    {
        double work = secondsLeft;
        double speed = 1;
        foreach (Peer peer in others.Where(peer => peer.SecondsLeft <= secondsLeft))
        {
            work += peer.SecondsLeft * peer.Speed;
            speed += peer.Speed;
        }

        return work / speed;
    }

    /// <summary>What to give to those that ask and have nothing to do.</summary>
    /// <param name="secondsLeft">What the giver needs for the work that it has.</param>
    /// <param name="end">When all end together, or the giver wants to end.</param>
    /// <param name="askers">How many times as fast as the giver each asker is.</param>
    /// <returns>Seconds of the giver's work, and how many of the askers get a part of it: the first ones.</returns>
    public static (double Seconds, int Takers) Give(double secondsLeft, double end, IReadOnlyList<double> askers)
    {
        double most = secondsLeft - end;
        double seconds = 0;
        int takers = 0;
        while (takers < askers.Count && seconds < most)
        {
            seconds += Math.Max(end, LeastSecondsTaken) * askers[takers++];
        }

        return (Math.Clamp(most, 0, seconds), takers);
    }
}
