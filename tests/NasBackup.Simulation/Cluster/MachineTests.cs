using NasBackup.Simulation.Scheduling;
using NasBackup.Simulation.Storage;

namespace NasBackup.Simulation.Cluster;

/// <summary>What the checks and the nodes are told of a machine.</summary>
public sealed class MachineTests
{
    private readonly MachineClock _clock = new(new Scheduler(new Random(1)), DateTimeOffset.UnixEpoch, behind: 0);

    [Fact]
    public void A_death_and_a_start_do_not_end_what_else_is_wrong_on_a_machine()
    {
        var machine = new Machine("n1", 0, new Random(1), _clock, new Volume("local", 1, static () => 0), [], static _ => null!);
        machine.Trouble(100);
        machine.NoteDeath();
        Assert.Equal(long.MaxValue, machine.TroubledUntil);
        machine.NoteStart(50);
        Assert.Equal(100, machine.TroubledUntil);
    }

    [Fact]
    public void The_clock_of_a_machine_that_stands_still_twice_at_once_is_behind_by_the_longer_of_the_two()
    {
        _clock.StandStill(50);
        _clock.StandStill(45);
        Assert.Equal(-50, _clock.GetTimestamp());
        _clock.StandStill(70);
        Assert.Equal(-70, _clock.GetTimestamp());
    }
}
