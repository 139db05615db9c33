# Shells that are processes of their own.

<#
.SYNOPSIS
The program of the shell that runs this, and what it needs before arguments of its own: where the shell is a tool of .NET, the
process is dotnet. A pwsh on the path may be one that only starts another process, which would live on when that one is killed.
#>
function Get-ShellCommand {
    [Environment]::ProcessPath
    if ([IO.Path]::GetFileNameWithoutExtension([Environment]::ProcessPath) -ne 'pwsh') {
        [IO.Path]::GetFullPath([Environment]::GetCommandLineArgs()[0])
    }
}

<#
.SYNOPSIS
Runs a script that has the module in a shell of its own, so that it can be killed.
#>
function Start-Shell {
    [Diagnostics.CodeAnalysis.SuppressMessageAttribute('PSUseShouldProcessForStateChangingFunctions', '', Justification = 'For tests.')]
    param([Parameter(Mandatory)] [string] $Script, [Parameter(Mandatory)] [string] $OutputFolder)

    $module = Join-Path $PSScriptRoot .. .. module NasBackup.psd1
    $encoded = [Convert]::ToBase64String([Text.Encoding]::Unicode.GetBytes("Import-Module '$module'; $Script"))
    $output = Join-Path $OutputFolder ([guid]::NewGuid())
    $program, $arguments = @(Get-ShellCommand) + '-NoProfile', '-NonInteractive', '-EncodedCommand', $encoded
    if ($IsWindows) {
        return Start-Process $program -ArgumentList $arguments -PassThru -RedirectStandardOutput $output -RedirectStandardError "$output.error"
    }
    # Where Start-Process redirects, this shell ends when the other one is killed while it still prints.
    $redirect = 'exec "$@" >"$0" 2>"$0.error" </dev/null'
    [Diagnostics.Process]::Start('/bin/sh', [string[]] (@('-c', $redirect, $output, $program) + $arguments))
}

Export-ModuleMember -Function Get-ShellCommand, Start-Shell
