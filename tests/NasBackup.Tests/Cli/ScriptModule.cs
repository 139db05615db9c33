using NasBackup.Tests.Support;

namespace NasBackup.Tests.Cli;

/// <summary>A small module of scripts in a folder of its own, for tests of the runner alone.</summary>
public sealed class ScriptModule : IDisposable
{
    private const string Manifest = """
        @{
            RootModule = 'NasBackup.psm1'
            ModuleVersion = '0.1.0'
            GUID = '5b5f14a4-9f0c-4f0e-8a54-07a1f5b3c1de'
            FunctionsToExport = @('Test-Value', 'Test-Error', 'Test-Stop', 'Test-Misuse', 'Test-Wait', 'Get-Result', 'New-Result', 'Remove-Entry')
            CmdletsToExport = @()
            FormatsToProcess = @('NasBackup.format.ps1xml')
        }
        """;

    private const string Script = """
        function Test-Value {
            [CmdletBinding()]
            param(
                [Parameter(Position = 0)] [string[]] $Path,
                [Parameter(Position = 1)] [string] $Text,
                [Alias('Max')] [long] $MaxBytes,
                [int] $Count,
                [bool] $Really,
                [switch] $Flag,
                [hashtable] $Map,
                [scriptblock] $Action,
                [ValidateSet('A', 'B')] [string] $Kind)
            [pscustomobject]@{
                Path = $Path; Text = $Text; MaxBytes = $MaxBytes; Count = $Count; Really = $Really; Flag = $Flag; Map = $Map
                Result = if ($Action) { & $Action }
                Folder = "$PWD"
            }
        }
        function New-Record([string] $Id) {
            [System.Management.Automation.ErrorRecord]::new([Exception]::new("It broke."), $Id, 'ObjectNotFound', '/the/target')
        }
        function Test-Error { [CmdletBinding()] param([string] $Status)
            $PSCmdlet.WriteWarning('Careful.')
            $PSCmdlet.WriteError((New-Record 'ThingBroken'))
            [pscustomobject]@{ Status = $Status }
        }
        function Test-Stop { [CmdletBinding()] param() $PSCmdlet.ThrowTerminatingError((New-Record 'ThingMissing')) }
        function Test-Misuse { [CmdletBinding()] param() Test-Value -NoSuchParameter 1 }
        function Test-Wait { [CmdletBinding()] param([int] $Seconds = 60, [switch] $Deaf)
            'started'
            if ($Deaf) { [System.Threading.Thread]::Sleep(1000 * $Seconds) }
            for ($i = 0; $i -lt 100 * $Seconds; $i++) {
                $record = [System.Management.Automation.ProgressRecord]::new(1, 'nas1', "step $i")
                $record.PercentComplete = 50
                $PSCmdlet.WriteProgress($record)
                [System.Threading.Thread]::Sleep(10)
                if ($i % 10 -eq 0) { "step $i" }
            }
        }
        function New-Result { [CmdletBinding()] param([string] $Status) [pscustomobject]@{ PSTypeName = 'Test.Result'; Status = $Status } }
        function Get-Result { [CmdletBinding()] param([string] $Status) New-Result $Status }
        function Remove-Entry { [CmdletBinding(SupportsShouldProcess, ConfirmImpact = 'High')] param([Parameter(Mandatory)] [string] $Name)
            if ($PSCmdlet.ShouldProcess($Name, 'Remove')) { "removed $Name" }
        }
        """;

    private const string Views = """
        <Configuration><ViewDefinitions><View>
          <Name>Test.Result</Name>
          <ViewSelectedBy><TypeName>Test.Result</TypeName></ViewSelectedBy>
          <TableControl>
            <TableHeaders><TableColumnHeader><Label>How it went</Label><Width>20</Width></TableColumnHeader></TableHeaders>
            <TableRowEntries><TableRowEntry><TableColumnItems><TableColumnItem>
              <ScriptBlock>"$($PSStyle.Foreground.Green)it is $($_.Status)$($PSStyle.Reset)"</ScriptBlock>
            </TableColumnItem></TableColumnItems></TableRowEntry></TableRowEntries>
          </TableControl>
        </View></ViewDefinitions></Configuration>
        """;

    public ScriptModule()
    {
        Folder = Directory.CreateTempSubdirectory("nasbackup-module-").FullName;
        File.WriteAllText(Path.Combine(Folder, "NasBackup.psd1"), Manifest);
        File.WriteAllText(Path.Combine(Folder, "NasBackup.psm1"), Script);
        File.WriteAllText(Path.Combine(Folder, "NasBackup.format.ps1xml"), Views);
        Settings = new RunnerSettings { Environment = new Dictionary<string, string> { ["NASBACKUP_MODULE"] = Folder }, WorkingDirectory = Folder };
    }

    public string Folder { get; }

    /// <summary>Makes a runner import this module instead of its own.</summary>
    public RunnerSettings Settings { get; }

    public void Dispose() => Directory.Delete(Folder, recursive: true);
}
