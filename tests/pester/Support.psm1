# What the tests of this folder share: the module, and places to back up from and to.

Import-Module (Join-Path $PSScriptRoot .. .. module NasBackup.psd1) -Force -Global
Import-Module (Join-Path $PSScriptRoot Shell.psm1)

<#
.SYNOPSIS
A source of small files, and the paths of a share and a device that do not exist yet.
#>
function Initialize-TestPlace {
    param([Parameter(Mandatory)] [string] $Root, [int] $Files = 20)

    $source = New-Item -ItemType Directory (Join-Path $Root source/folder)
    foreach ($number in 1..$Files) {
        Set-Content (Join-Path $source "file$number.txt") ('x' * $number * 1000)
    }
    @{
        Source = Join-Path $Root source
        # As New-NasBackupPlan and Invoke-NasBackup take it.
        Place  = @{ Share = Join-Path $Root share; Destination = Join-Path $Root device }
        Share  = Join-Path $Root share
        Device = Join-Path $Root device
    }
}

<#
.SYNOPSIS
Relative path and hash of each file below a folder, as text to compare.
#>
function Get-Fingerprint {
    param([Parameter(Mandatory)] [string] $Path)

    Get-ChildItem -LiteralPath $Path -Recurse -File -Force | Sort-Object FullName | ForEach-Object {
        "$([IO.Path]::GetRelativePath($Path, $_.FullName)) $((Get-FileHash -LiteralPath $_.FullName).Hash)"
    }
}

<#
.SYNOPSIS
A shell of its own that runs as a node, so that it can be killed.
#>
function Start-NodeProcess {
    [Diagnostics.CodeAnalysis.SuppressMessageAttribute('PSUseShouldProcessForStateChangingFunctions', '', Justification = 'For tests.')]
    param([Parameter(Mandatory)] $Plan, [Parameter(Mandatory)] [string] $Node, [string] $MaxBytesPerSecond = '1GB')

    Start-Shell "Start-NasNodeBackup -Share '$($Plan.Share)' -PlanId $($Plan.Id) -Node $Node -MaxBytesPerSecond $MaxBytesPerSecond" (Get-PSDrive TestDrive).Root
}

<#
.SYNOPSIS
Waits until a script gives something that counts as true.
#>
function Wait-Until {
    param([Parameter(Mandatory)] [scriptblock] $Condition, [int] $Seconds = 60)

    $end = [datetime]::UtcNow.AddSeconds($Seconds)
    while (-not (& $Condition)) {
        if ([datetime]::UtcNow -gt $end) {
            throw "Not within $Seconds s: $Condition"
        }
        Start-Sleep -Milliseconds 100
    }
}

Export-ModuleMember -Function Initialize-TestPlace, Get-Fingerprint, Start-NodeProcess, Wait-Until
