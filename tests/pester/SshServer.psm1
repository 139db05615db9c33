# An sshd of the tests' own: on a free port of the loopback address, with keys and a configuration in a folder that goes
# with it. Its subsystems are shells that find the module under test, another version of it, or none.

Import-Module (Join-Path $PSScriptRoot Shell.psm1)

$script:sshd = @('/usr/sbin/sshd', '/usr/local/sbin/sshd') | Where-Object { Test-Path -LiteralPath $_ } | Select-Object -First 1

<#
.SYNOPSIS
What is missing for sessions over SSH, as a sentence; nothing where all is there.
#>
function Get-SshProblem {
    if ($IsWindows) {
        return 'it starts an sshd of its own, which it does on Linux and macOS only'
    }
    $missing = @(
        if (-not $script:sshd) { 'sshd (Debian: openssh-server)' }
        'ssh', 'ssh-keygen' | Where-Object { -not (Get-Command $_ -CommandType Application -ErrorAction Ignore) }
    )
    if ($missing) {
        "it needs $($missing -join ', ')"
    }
}

<#
.SYNOPSIS
Starts an sshd; gives what New-PSSession and Invoke-NasBackup need to reach it.
#>
function Start-SshServer {
    [Diagnostics.CodeAnalysis.SuppressMessageAttribute('PSUseShouldProcessForStateChangingFunctions', '', Justification = 'For tests.')]
    param()

    # Not below TestDrive: the path stands in files of sshd's, where blanks and long names are trouble.
    $folder = (New-Item -ItemType Directory (Join-Path ([IO.Path]::GetTempPath()) "nasbackup-ssh-$([guid]::NewGuid().ToString('N').Substring(0, 8))")).FullName
    foreach ($key in 'host', 'client') {
        Invoke-Tool ssh-keygen -q -t ed25519 -N '' -C nasbackup-test -f (Join-Path $folder $key)
    }
    Copy-Item (Join-Path $folder client.pub) (Join-Path $folder authorized)
    $port = Get-FreePort

    $module = (Resolve-Path (Join-Path $PSScriptRoot .. .. module)).Path
    Add-Subsystem $folder powershell { param($at) New-Item -ItemType SymbolicLink (Join-Path $at NasBackup) -Target $module }
    Add-Subsystem $folder older {
        param($at)
        $older = New-Item -ItemType Directory (Join-Path $at NasBackup)
        Set-Content (Join-Path $older NasBackup.psd1) "@{ ModuleVersion = '0.0.9'; GUID = 'b6d0c1a6-6f0e-4c0a-9a3e-5d2b8f4f7c11' }"
    }
    Add-Subsystem $folder bare { }

    Set-Content (Join-Path $folder sshd_config) @"
Port $port
ListenAddress 127.0.0.1
HostKey $folder/host
PidFile $folder/pid
AuthorizedKeysFile $folder/authorized
StrictModes no
PermitRootLogin prohibit-password
PasswordAuthentication no
KbdInteractiveAuthentication no
UsePAM no
MaxStartups 100
MaxSessions 100
Subsystem powershell $folder/powershell.sh
Subsystem older $folder/older.sh
Subsystem bare $folder/bare.sh
"@
    if ((id -u) -eq '0') {
        # Debian makes it when its service starts; sshd asks for it.
        $null = New-Item -ItemType Directory /run/sshd -Force
    }
    $process = Start-Process $script:sshd -ArgumentList '-D', '-E', "$folder/log", '-f', "$folder/sshd_config" -PassThru
    $server = [pscustomobject] @{
        Folder   = $folder
        Process  = $process
        Computer = '127.0.0.1'
        Port     = $port
        # As -HostName of Invoke-NasBackup takes it.
        Target   = "127.0.0.1:$port"
        Key      = Join-Path $folder client
        Option   = @{ StrictHostKeyChecking = 'no'; UserKnownHostsFile = '/dev/null'; LogLevel = 'ERROR' }
    }
    Wait-Answer $server
    $server
}

<#
.SYNOPSIS
Opens a session as the shell does it.
#>
function Connect-SshServer {
    param([Parameter(Mandatory)] $Server, [string] $Subsystem = 'powershell', [string] $Computer = $Server.Computer)

    New-PSSession -HostName $Computer -Port $Server.Port -KeyFilePath $Server.Key -Subsystem $Subsystem -Options $Server.Option -ConnectingTimeout 30000 -ErrorAction Stop
}

<#
.SYNOPSIS
The processes that serve sessions, the shells in them included; what has left its session is not among them.
#>
function Get-SshSessionProcess {
    param([Parameter(Mandatory)] $Server)

    $children = @{}
    foreach ($line in ps -A -o 'ppid=,pid=') {
        $parent, $id = -split $line
        $children[$parent] += @([int] $id)
    }
    $left = [Collections.Generic.Queue[int]]::new()
    $left.Enqueue($Server.Process.Id)
    while ($left.Count -gt 0) {
        foreach ($id in $children["$($left.Dequeue())"]) {
            $left.Enqueue($id)
            $id
        }
    }
}

<#
.SYNOPSIS
Ends the server and its sessions, and removes its folder.
#>
function Stop-SshServer {
    [Diagnostics.CodeAnalysis.SuppressMessageAttribute('PSUseShouldProcessForStateChangingFunctions', '', Justification = 'For tests.')]
    param([Parameter(Mandatory)] $Server)

    Get-SshSessionProcess $Server | ForEach-Object { Stop-Process -Id $_ -Force -ErrorAction Ignore }
    $Server.Process | Stop-Process -Force -ErrorAction Ignore
    Remove-Item $Server.Folder -Recurse -Force -ErrorAction Ignore
}

function Invoke-Tool {
    $program, $arguments = $args
    & $program @arguments
    if ($LASTEXITCODE -ne 0) {
        throw "$program ended with exit code $LASTEXITCODE."
    }
}

function Get-FreePort {
    $listener = [Net.Sockets.TcpListener]::new([ipaddress]::Loopback, 0)
    $listener.Start()
    $listener.LocalEndpoint.Port
    $listener.Stop()
}

# A shell whose folder of modules has what the script puts there; it keeps its logs and settings in the server's folder.
function Add-Subsystem([string] $Folder, [string] $Name, [scriptblock] $Fill) {
    $modules = (New-Item -ItemType Directory (Join-Path $Folder modules $Name)).FullName
    $null = & $Fill $modules
    $script = Join-Path $Folder "$Name.sh"
    Set-Content $script "#!/bin/sh`nexport PSModulePath='$modules' XDG_DATA_HOME='$Folder/data' POWERSHELL_TELEMETRY_OPTOUT=1`nexec '$((Get-ShellCommand) -join "' '")' -sshs -NoLogo"
    Invoke-Tool chmod 755 $script
}

function Wait-Answer($Server) {
    foreach ($try in 1..100) {
        $client = [Net.Sockets.TcpClient]::new()
        try {
            $client.Connect($Server.Computer, $Server.Port)
            return
        }
        catch [Net.Sockets.SocketException] {
            if ($Server.Process.HasExited -or $try -eq 100) {
                throw "sshd does not answer: $(Get-Content (Join-Path $Server.Folder log) -Raw)"
            }
            Start-Sleep -Milliseconds 100
        }
        finally {
            $client.Dispose()
        }
    }
}

Export-ModuleMember -Function Get-SshProblem, Start-SshServer, Connect-SshServer, Get-SshSessionProcess, Stop-SshServer
