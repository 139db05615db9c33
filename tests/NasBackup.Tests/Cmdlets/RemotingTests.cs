using System.Collections;
using System.Management.Automation;
using NasBackup.Cmdlets.Parameters;
using NasBackup.Tests.Support;

namespace NasBackup.Tests.Cmdlets;

/// <summary>Objects cross remoting: what comes out is taken wherever its type is.</summary>
public sealed class RemotingTests : IDisposable
{
    private readonly Workplace _place = new();

    public static TheoryData<int> AllTypes => new(Enumerable.Range(0, Samples.All.Count));

    public void Dispose() => _place.Dispose();

    [Fact]
    public void A_plan_that_crossed_is_taken_by_the_next_cmdlet()
    {
        PSObject plan = Remoting.Cross(_place.Plan());
        Assert.Equal("Deserialized.NasBackup.BackupPlan", plan.TypeNames[0]);

        Outcome result = _place.Shell.Run("Invoke-NasBackup", null, plan);
        Outcome counters = _place.Shell.Run("Get-NasBackupCounter", new() { ["Plan"] = plan });

        Assert.Equal(BackupStatus.Completed, result.Single<BackupResult>().Status);
        Assert.Empty(counters.Errors);
        Assert.NotEmpty(counters.Output);
    }

    [Fact]
    public void A_node_that_crossed_is_taken_by_the_next_cmdlet()
    {
        Node node = _place.Shell.Run("Register-NasNode", new() { ["Share"] = _place.Share, ["Name"] = "nas1" }).Single<Node>();

        Outcome outcome = _place.Shell.Run("Set-NasNode", new() { ["Speed"] = 7 }, Remoting.Cross(node));

        Assert.Equal(7, outcome.Single<Node>().Speed);
    }

    [Theory]
    [MemberData(nameof(AllTypes))]
    public void Every_type_is_made_again_whole(int sample)
    {
        object original = Samples.All[sample];
        PSObject crossed = Remoting.Cross(original);

        object converted = new DeserializedConverter().ConvertFrom(crossed, original.GetType(), null!, ignoreCase: true);

        Assert.Equivalent(original, converted, strict: true);
        Assert.Equal(original.ToString(), converted.ToString());
    }

    [Theory]
    [MemberData(nameof(AllTypes))]
    public void A_script_can_cast_what_crossed(int sample)
    {
        object original = Samples.All[sample];

        Outcome outcome = _place.Shell.RunScript($"[{original.GetType().FullName}] $args[0]", Remoting.Cross(original));

        Assert.Empty(outcome.Errors);
        Assert.Equivalent(original, Assert.Single(outcome.Output).BaseObject, strict: true);
    }

    [Fact]
    public void What_is_nested_crosses_whole_at_the_depth_that_remoting_uses()
    {
        // Depth 1 is remoting's own; the types file asks for more.
        Outcome outcome = _place.Shell.RunScript(
            "[Management.Automation.PSSerializer]::Deserialize([Management.Automation.PSSerializer]::Serialize($args[0]))", Samples.Progress);

        Assert.Empty(outcome.Errors);
        var progress = Assert.IsType<BackupProgress>(Assert.Single(outcome.Output).BaseObject);
        Assert.Equivalent(Samples.Progress, progress, strict: true);
    }

    [Fact]
    public void A_table_with_the_properties_of_a_plan_is_enough()
    {
        BackupPlan plan = _place.Plan();

        Outcome outcome = _place.Shell.RunScript("[pscustomobject]@{ Id = $args[0]; Share = $args[1] } | Get-NasBackupCounter", plan.Id, plan.Share);

        Assert.Empty(outcome.Errors);
        Assert.Equal(2, outcome.Output.Count);
    }
}
