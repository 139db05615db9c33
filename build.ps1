#!/usr/bin/env pwsh
<#
.SYNOPSIS
Builds, tests and packages NasBackup.
.PARAMETER Task
Build, Test, Analyze, Publish or Clean; several run in the order given.
.PARAMETER Configuration
Release or Debug.
#>
[CmdletBinding()]
param(
    [ValidateSet('Build', 'Test', 'Analyze', 'Publish', 'Clean')]
    [string[]] $Task = 'Build',

    [ValidateSet('Release', 'Debug')]
    [string] $Configuration = 'Release'
)

$ErrorActionPreference = 'Stop'
$root = $PSScriptRoot

function Invoke-DotNet {
    dotnet @args
    if ($LASTEXITCODE -ne 0) {
        throw "dotnet $args ended with exit code $LASTEXITCODE."
    }
}

function Install-FromGallery([string] $Name, [version] $MinimumVersion) {
    if (-not (Get-Module -ListAvailable $Name | Where-Object Version -GE $MinimumVersion)) {
        Write-Information "Installing $Name from the gallery." -InformationAction Continue
        Install-PSResource -Name $Name -Version "[$MinimumVersion,)" -TrustRepository -Scope CurrentUser
    }
}

function Invoke-BuildTask {
    Invoke-DotNet build $root -c $Configuration
    "Built: the module is at $(Join-Path $root module NasBackup.psd1)."
}

function Invoke-TestTask {
    Invoke-DotNet test $root -c $Configuration
    Install-FromGallery Pester 5.5.0
    $settings = New-PesterConfiguration
    $settings.Run.Path = Join-Path $root tests pester
    $settings.Run.PassThru = $true
    $result = Invoke-Pester -Configuration $settings
    if ($result.FailedCount -gt 0) {
        throw "$($result.FailedCount) Pester tests failed."
    }
    "Tested: dotnet test, and $($result.PassedCount) Pester tests."
}

function Invoke-AnalyzeTask {
    Install-FromGallery PSScriptAnalyzer 1.22.0
    $files = @(Join-Path $root build.ps1) + (Get-ChildItem (Join-Path $root module), (Join-Path $root tests) -Recurse -Include *.ps1, *.psm1, *.psd1).FullName
    $findings = $files | ForEach-Object { Invoke-ScriptAnalyzer -Path $_ -Settings (Join-Path $root PSScriptAnalyzerSettings.psd1) }
    $findings | Format-Table Severity, RuleName, ScriptName, Line, Message -AutoSize
    if ($findings) {
        throw "$(@($findings).Count) findings of the analyzer."
    }
    "Analyzed: $($files.Count) files are clean."
}

function Invoke-PublishTask {
    foreach ($runtime in 'linux-x64', 'linux-arm64', 'win-x64') {
        $target = Join-Path $root artifacts publish $runtime
        Invoke-DotNet publish (Join-Path $root src NasBackup.Cli) -c Release -r $runtime --self-contained -o $target
        "Published: $target."
    }
}

function Invoke-CleanTask {
    Get-ChildItem $root -Recurse -Directory -Include bin, obj, artifacts, TestResults -Force |
        Where-Object FullName -NotLike '*.git*' |
        Remove-Item -Recurse -Force
    'Cleaned: bin, obj and artifacts are gone.'
}

foreach ($name in $Task) {
    & "Invoke-${name}Task"
}
