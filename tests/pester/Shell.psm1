# Shells that are processes of their own.

<#
.SYNOPSIS
The program of the shell that runs this. Where that is a tool of .NET, the process is dotnet, and there is a pwsh on the path.
#>
function Get-ShellPath {
    if ([IO.Path]::GetFileNameWithoutExtension([Environment]::ProcessPath) -eq 'pwsh') {
        return [Environment]::ProcessPath
    }
    (Get-Command pwsh -CommandType Application -ErrorAction Ignore | Select-Object -First 1).Source
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
    $arguments = '-NoProfile', '-NonInteractive', '-EncodedCommand', $encoded
    if ($IsWindows) {
        return Start-Process (Get-ShellPath) -ArgumentList $arguments -PassThru -RedirectStandardOutput $output -RedirectStandardError "$output.error"
    }
    # Where Start-Process redirects, this shell ends when the other one is killed while it still prints.
    $redirect = 'exec "$@" >"$0" 2>"$0.error" </dev/null'
    [Diagnostics.Process]::Start('/bin/sh', [string[]] (@('-c', $redirect, $output, (Get-ShellPath)) + $arguments))
}

Export-ModuleMember -Function Get-ShellPath, Start-Shell
