using System.Management.Automation;
using NasBackup.Tests.Support;

namespace NasBackup.Tests.Cmdlets;

public sealed class ModuleTests : IDisposable
{
    private static readonly Type[] CmdletClasses = [.. typeof(NasBackup.Cmdlets.Pipeline.EngineCmdlet).Assembly.GetTypes()
        .Where(type => type.IsDefined(typeof(CmdletAttribute), inherit: false))];

    private readonly ModuleRunspace _shell = new();

    public void Dispose() => _shell.Dispose();

    [Fact]
    public void The_module_exports_exactly_the_cmdlets_of_its_manifest()
    {
        Outcome exported = _shell.RunScript("(Get-Module NasBackup).ExportedCommands.Keys");
        Outcome listed = _shell.RunScript(
            "[Management.Automation.Language.Parser]::ParseFile($args[0], [ref]$null, [ref]$null).Find({ $args[0] -is [Management.Automation.Language.HashtableAst] }, $false).SafeGetValue().CmdletsToExport",
            ModuleRunspace.ManifestPath);

        Assert.Empty(exported.Errors);
        Assert.Empty(listed.Errors);
        Assert.Equal(listed.Output.Select(name => name.ToString()).Order(), exported.Output.Select(name => name.ToString()).Order());
        Assert.Equal(CmdletClasses.Length, exported.Output.Count);
    }

    [Fact]
    public void Every_cmdlet_class_is_exported_and_declares_what_it_emits()
    {
        Assert.All(CmdletClasses, type =>
        {
            Assert.True(type.IsSealed);
            Assert.True(type.IsDefined(typeof(OutputTypeAttribute), inherit: false));
        });
    }

    [Fact]
    public void A_script_finds_the_types_of_the_module()
    {
        Outcome outcome = _shell.RunScript("[NasBackup.BackupPlan].FullName; [NasBackup.Cmdlets.Views.ViewText]::Size(1536)");

        Assert.Empty(outcome.Errors);
        Assert.Equal(["NasBackup.BackupPlan", "1.50 KiB"], outcome.Output.Select(item => item.ToString()));
    }

    [Theory]
    [InlineData("Register-NasNode", ConfirmImpact.Low)]
    [InlineData("Set-NasNode", ConfirmImpact.Medium)]
    [InlineData("Unregister-NasNode", ConfirmImpact.Medium)]
    [InlineData("New-NasBackupPlan", ConfirmImpact.Low)]
    [InlineData("Start-NasNodeBackup", ConfirmImpact.Medium)]
    [InlineData("Invoke-NasBackup", ConfirmImpact.Medium)]
    [InlineData("Invoke-NasTakeover", ConfirmImpact.Medium)]
    [InlineData("Stop-NasBackup", ConfirmImpact.Medium)]
    [InlineData("Remove-NasBackupPlan", ConfirmImpact.High)]
    [InlineData("Remove-NasBackupSet", ConfirmImpact.High)]
    [InlineData("Set-NasBackupSet", ConfirmImpact.Medium)]
    [InlineData("Restore-NasBackup", ConfirmImpact.Medium)]
    [InlineData("Export-NasBackupReport", ConfirmImpact.Low)]
    public void Whatever_changes_something_can_be_asked_about(string name, ConfirmImpact impact)
    {
        var command = (CmdletInfo)_shell.Run("Get-Command", new() { ["Name"] = name }).Output.Single().BaseObject;
        var attribute = (CmdletAttribute)Attribute.GetCustomAttribute(command.ImplementingType, typeof(CmdletAttribute))!;

        Assert.True(attribute.SupportsShouldProcess);
        Assert.Equal(impact, attribute.ConfirmImpact);
    }

    [Fact]
    public void The_module_can_be_removed_and_imported_again()
    {
        Outcome outcome = _shell.RunScript("Remove-Module NasBackup; Import-Module $args[0]; (Get-Command Get-NasNode).Name", ModuleRunspace.ManifestPath);

        Assert.Empty(outcome.Errors);
        Assert.Equal("Get-NasNode", Assert.Single(outcome.Output).ToString());
    }
}
