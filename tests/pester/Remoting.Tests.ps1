# Nodes that are reached over SSH, as between machines: the shell's own sessions, an sshd with PowerShell's subsystem.

BeforeDiscovery {
    Import-Module "$PSScriptRoot/SshServer.psm1" -Force
    $problem = Get-SshProblem
    if ($problem) {
        Write-Warning "Remoting.Tests.ps1 is skipped: $problem."
    }
}

Describe 'Backups over SSH' -Skip:([bool] $problem) {
    BeforeAll {
        Import-Module "$PSScriptRoot/Support.psm1", "$PSScriptRoot/Shell.psm1", "$PSScriptRoot/SshServer.psm1" -Force
        $script:server = Start-SshServer
        # What Invoke-NasBackup needs to open sessions by itself.
        $script:ssh = @{ KeyFilePath = $server.Key; SshOption = $server.Option }

        function Get-NodeProcess([string] $Share) {
            ps -A -o 'pid=,args=' | Where-Object { $_ -match 'Start-NasNodeBackup' -and $_.Contains($Share) } | ForEach-Object { [int] (-split $_)[0] }
        }

        function Get-Counter([string] $Share, [string] $Node) {
            Get-NasBackupPlan -Share $Share -ErrorAction Ignore | Get-NasBackupCounter -Node $Node -ErrorAction Ignore
        }
    }

    AfterAll {
        if ($server) {
            Stop-SshServer $server
        }
    }

    BeforeEach {
        $script:test = Initialize-TestPlace (Join-Path $TestDrive ([guid]::NewGuid())) -Files 40
        $script:place = $test.Place
        $script:sessions = [Collections.Generic.List[object]]::new()
    }

    AfterEach {
        $sessions | Remove-PSSession
        # Nodes that were started detached belong to nobody; they are known by their share.
        Get-NodeProcess $test.Share | ForEach-Object { Stop-Process -Id $_ -Force -ErrorAction Ignore }
    }

    Context 'Invoke-NasBackup -HostName' {
        It 'starts each node on its machine, and gives the result of all' {
            $result = Invoke-NasBackup @place @ssh -Path $test.Source -HostName $server.Target, $server.Target -Node nas1, nas2 -SourceOwner nas1 -MaxBytesPerSecond 400KB -ErrorAction Stop

            $result.Status | Should -Be Completed
            $result.Nodes.Node | Should -Be nas1, nas2
            $result.Nodes | ForEach-Object { $_.Entries | Should -BeGreaterThan 0 }
            Get-Fingerprint $result.DataPath | Should -Be (Get-Fingerprint $test.Source)
            Get-NasBackupLog -Share $test.Share -ErrorAction Stop | Should -HaveCount 2
        }

        It 'finds the machines that nodes are registered with' {
            Register-NasNode -Share $test.Share nas1 -HostName $server.Target | Out-Null
            Register-NasNode -Share $test.Share nas2 -HostName "localhost:$($server.Port)" | Out-Null

            $result = Invoke-NasBackup @place @ssh -Path $test.Source -HostName (Get-NasNode -Share $test.Share).HostName -ErrorAction Stop

            $result.Status | Should -Be Completed
            $result.Nodes.Node | Should -Be nas1, nas2
        }

        It 'tells a host that does not resolve, and goes on with the others' {
            $result = Invoke-NasBackup @place @ssh -Path $test.Source -HostName no-such-host.invalid, $server.Target -Node nas1, nas2 -ErrorAction SilentlyContinue -ErrorVariable problem

            $problem.FullyQualifiedErrorId | Should -BeLike 'HostNotFound,*'
            "$problem" | Should -BeLike '*no-such-host.invalid*'
            $result.Status | Should -Be Completed
            Get-Fingerprint $result.DataPath | Should -Be (Get-Fingerprint $test.Source)
        }

        It 'tells a host that does not answer, before anything is made' {
            { Invoke-NasBackup @place @ssh -Path $test.Source -HostName 127.0.0.1:1 -Node nas1 -ErrorAction Stop } | Should -Throw -ErrorId 'HostNotReached,*'

            $test.Device | Should -Not -Exist
        }

        It 'does not lose the job when a node is lost' {
            $job = Invoke-NasBackup @place @ssh -Path $test.Source -HostName $server.Target, $server.Target -Node nas1, nas2 -MaxBytesPerSecond 60KB -FailureTimeout 4s -AsJob
            Wait-Until { (Get-Counter $test.Share nas2).State -eq 'Working' } -Seconds 180
            $victim = ps -A -o 'pid=,args=' | Where-Object { $_ -match '-Node ''nas2''' -and $_.Contains($test.Share) } | ForEach-Object { [int] (-split $_)[0] }
            Stop-Process -Id $victim -Force

            $result = $job | Receive-Job -Wait -AutoRemoveJob

            $result.Status | Should -Be Completed
            $result.FailedNodes | Should -Be nas2
            Get-Fingerprint $result.DataPath | Should -Be (Get-Fingerprint $test.Source)
        }
    }

    Context 'Invoke-NasBackup -Session' {
        It 'uses sessions that are there, and leaves them open' {
            $sessions.AddRange(@((Connect-SshServer $server), (Connect-SshServer $server -Computer localhost)))

            $result = Invoke-NasBackup @place -Path $test.Source -Session $sessions -Node nas1, nas2 -ErrorAction Stop

            $result.Status | Should -Be Completed
            Get-Fingerprint $result.DataPath | Should -Be (Get-Fingerprint $test.Source)
            $sessions.State | Should -Be Opened, Opened
        }

        It 'tells a session that is not open, and goes on with the others' {
            $sessions.AddRange(@((Connect-SshServer $server), (Connect-SshServer $server)))
            $sessions[1] | Remove-PSSession

            $result = Invoke-NasBackup @place -Path $test.Source -Session $sessions -Node nas1, nas2 -ErrorAction SilentlyContinue -ErrorVariable problem

            $problem.FullyQualifiedErrorId | Should -BeLike 'SessionNotOpen,*'
            $result.Status | Should -Be Completed
            $result.Nodes.Node | Should -Be nas1
        }

        It 'tells <errorId> of a machine with <what>, before anything is made' -ForEach @(
            @{ ErrorId = 'ModuleMissing'; Subsystem = 'bare'; What = 'no module' }
            @{ ErrorId = 'ModuleDiffers'; Subsystem = 'older'; What = 'another version of the module' }
        ) {
            $sessions.Add((Connect-SshServer $server -Subsystem $subsystem))
            $script:problem = [Collections.ArrayList]::new()
            if ($errorId -eq 'ModuleMissing' -and (Invoke-Command $sessions[0] { Get-Module -ListAvailable NasBackup })) {
                Set-ItResult -Skipped -Because 'the module is installed for all shells of this machine'
            }

            { Invoke-NasBackup @place -Path $test.Source -Session $sessions -Node nas1 -ErrorVariable +script:problem -ErrorAction SilentlyContinue } | Should -Throw -ErrorId 'NodeNotGiven,*'

            $problem[0].FullyQualifiedErrorId | Should -BeLike "$errorId,*"
            "$($problem[0])" | Should -BeLike '*nas1*127.0.0.1*'
            $test.Device | Should -Not -Exist
            Join-Path $test.Share plans | Should -Not -Exist
        }
    }

    Context 'Invoke-Command with the module''s cmdlets' {
        BeforeEach {
            $sessions.Add((Connect-SshServer $server))
            $script:there = @{ Session = $sessions[0] }
            $script:shown = $test
        }

        It 'takes a plan that was made there' {
            $plan = Invoke-Command @there { $to = $using:place; New-NasBackupPlan @to -Path $using:shown.Source -Node nas1 }

            $plan.PSTypeNames[0] | Should -BeIn 'Deserialized.NasBackup.BackupPlan', 'NasBackup.BackupPlan'
            $result = $plan | Start-NasNodeBackup -Node nas1
            $result.Status | Should -Be Completed
            ($plan | Get-NasBackupCounter).EntriesLeft | Should -Be 0
        }

        It 'takes a plan there that was made here' {
            $plan = New-NasBackupPlan @place -Path $test.Source -Node nas1

            $result = Invoke-Command @there { $using:plan | Start-NasNodeBackup -Node nas1 }

            $result.PSTypeNames[0] | Should -BeLike '*NasBackup.NodeBackupResult'
            $result.Node | Should -Be nas1
            # The shell sends enumerations as numbers; as the module's own type they have their names again.
            ([NasBackup.NodeBackupResult] $result).Status | Should -Be Completed
            Get-Fingerprint $plan.DataPath | Should -Be (Get-Fingerprint $test.Source)
        }

        It 'takes sets, nodes and counters that come from there' {
            $result = Invoke-Command @there { $to = $using:place; Invoke-NasBackup @to -Path $using:shown.Source -Node nas1 }
            $set = Invoke-Command @there { Get-NasBackupSet $using:shown.Device }
            $node = Invoke-Command @there { Get-NasNode -Share $using:shown.Share }
            $counter = Invoke-Command @there { Get-NasBackupPlan -Share $using:shown.Share | Get-NasBackupCounter }

            $set.SetId | Should -Be $result.SetId
            ($set | Test-NasBackupSet -ErrorAction Stop).Damaged | Should -Be 0
            $node | Set-NasNode -Speed 200MB
            (Get-NasNode -Share $test.Share).Speed | Should -Be 200MB
            ([NasBackup.Counter] $counter).EntriesLeft | Should -Be 0
        }

        It 'gives errors that can be told by their ids' {
            Invoke-Command @there { Get-NasBackupPlan -Share $using:shown.Source -Id 20200101T000000Z-abcdef } -ErrorVariable problem -ErrorAction SilentlyContinue

            $problem.FullyQualifiedErrorId | Should -BeLike 'ShareNotFound,*'
            $problem.CategoryInfo.Category | Should -Be ObjectNotFound
        }

        It 'shows what comes from there as it is shown here' {
            $plan = Invoke-Command @there { $to = $using:place; New-NasBackupPlan @to -Path $using:shown.Source -Node nas1 }

            # The shell adds a column that says where it comes from.
            $header = { @(($args[0] | Out-String) -split '\r?\n' | Where-Object { $_ })[0].TrimEnd() }
            & $header $plan | Should -BeLike "$(& $header (Get-NasBackupPlan -Share $test.Share))*PSCompu*"
        }
    }

    Context 'When a connection is lost' {
        It 'a node goes on that was started detached, though its session and all in it are killed' {
            $plan = New-NasBackupPlan @place -Path $test.Source -Node nas1 -RequestOnly
            $sessions.Add((Connect-SshServer $server))
            $process = Invoke-Command $sessions[0] { $using:plan | Start-NasNodeBackup -Node nas1 -MaxBytesPerSecond 200KB -Detached }
            Wait-Until { (Get-Counter $test.Share nas1).State -eq 'Working' }
            $served = Get-SshSessionProcess $server
            $served | Should -Not -BeNullOrEmpty

            $served | ForEach-Object { Stop-Process -Id $_ -Force -ErrorAction Ignore }

            Wait-Until { $sessions[0].State -eq 'Broken' } -Seconds 20
            (Get-Process -Id $process.ProcessId).HasExited | Should -BeFalse
            ($plan | Watch-NasBackupProgress).Status | Should -Be Completed
            Get-Fingerprint ($plan | Get-NasBackupPlan).DataPath | Should -Be (Get-Fingerprint $test.Source)
        }

        It 'the job goes on when the management client is killed, and is picked up from anywhere' {
            $options = ($server.Option.GetEnumerator() | ForEach-Object { "$($_.Key) = '$($_.Value)'" }) -join '; '
            $client = Start-Shell "Invoke-NasBackup -Share '$($test.Share)' -Destination '$($test.Device)' -Path '$($test.Source)' -HostName $($server.Target), $($server.Target) -Node nas1, nas2 -KeyFilePath '$($server.Key)' -SshOption @{ $options } -MaxBytesPerSecond 100KB" $TestDrive
            Wait-Until { (Get-Counter $test.Share nas1).State -eq 'Working' -and (Get-Counter $test.Share nas2).State -eq 'Working' } -Seconds 180

            $client.Kill()
            $client.WaitForExit()
            Wait-Until { -not (Get-SshSessionProcess $server) } -Seconds 20

            $last = Get-NasBackupPlan -Share $test.Share | Watch-NasBackupProgress
            $last.Status | Should -Be Completed
            # A node writes its log when it leaves, which is after the backup is complete.
            Wait-Until { @(Get-NasBackupLog -Share $test.Share -ErrorAction Ignore).Count -eq 2 }
            $set = Get-NasBackupSet $test.Device
            $set.FailedNodes | Should -BeNullOrEmpty
            Get-Fingerprint $set.DataPath | Should -Be (Get-Fingerprint $test.Source)
        }
    }
}
