BeforeAll {
    Import-Module "$PSScriptRoot/Support.psm1" -Force
}

Describe 'A backup from end to end' {
    BeforeEach {
        $script:test = Initialize-TestPlace (Join-Path $TestDrive ([guid]::NewGuid())) -Files 40
        $script:place = $test.Place
    }

    It 'is planned, run by nodes that are processes of their own, and complete' {
        $plan = New-NasBackupPlan @place -Path $test.Source -Node nas1, nas2 -FailureTimeout 20s
        $nodes = 'nas1', 'nas2' | ForEach-Object { Start-NodeProcess $plan $_ }

        $progress = $plan | Watch-NasBackupProgress
        $nodes | Wait-Process -Timeout 60

        $progress.Status | Should -Be Completed
        $nodes.ExitCode | Should -Be 0, 0
        Get-Fingerprint $plan.DataPath | Should -Be (Get-Fingerprint $test.Source)
    }

    It 'is finished by the others when a node is killed, and names it' {
        $plan = New-NasBackupPlan @place -Path $test.Source -Node nas1, nas2 -FailureTimeout 3s -Strategy RoundRobin
        $victim = Start-NodeProcess $plan nas2 -MaxBytesPerSecond 60KB
        Wait-Until { ($plan | Get-NasBackupCounter -Node nas2).State -eq 'Working' }
        $victim.Kill()

        $result = $plan | Start-NasNodeBackup -Node nas1

        $result.Status | Should -Be Completed
        $result.FailedNodes | Should -Be nas2
        $result.Takeovers[0].FailedNode | Should -Be nas2
        Get-Fingerprint $plan.DataPath | Should -Be (Get-Fingerprint $test.Source)
        (Get-NasBackupSet $test.Device).FailedNodes | Should -Be nas2
        Test-NasBackupSet $test.Device -ErrorAction Stop | Should -HaveCount 1
    }

    It 'is stopped, and resumed where it stood' {
        $job = Invoke-NasBackup @place -Path $test.Source -Node nas1, nas2 -MaxBytesPerSecond 100KB -AsJob
        Wait-Until { Get-NasBackupPlan -Share $test.Share -Status Running -ErrorAction SilentlyContinue }
        $plan = Get-NasBackupPlan -Share $test.Share | Stop-NasBackup
        $job | Wait-Job -Timeout 30 | Out-Null

        $plan.Status | Should -Be Stopped
        $result = $plan | Invoke-NasBackup

        $result.Status | Should -Be Completed
        $result.Entries | Should -Be 42
        Get-Fingerprint $result.DataPath | Should -Be (Get-Fingerprint $test.Source)
    }

    It 'is verified, and restored after everything is lost' {
        $before = Get-Fingerprint $test.Source
        Invoke-NasBackup @place -Path $test.Source -Node nas1, nas2 | Out-Null

        Test-NasBackupSet $test.Device -ErrorAction Stop | Out-Null
        Remove-Item $test.Source -Recurse
        Get-NasBackupSet $test.Device -Newest | Restore-NasBackup | Out-Null

        Get-Fingerprint $test.Source | Should -Be $before
    }

    It 'runs every day of a week, copies what has changed, and keeps three days' {
        $days = foreach ($day in 1..7) {
            Set-Content (Join-Path $test.Source "folder/day$day.txt") "day $day"
            Invoke-NasBackup @place -Path $test.Source -Node nas1, nas2
        }
        $days.Status | Sort-Object -Unique | Should -Be Completed
        $sets = Get-NasBackupSet $test.Device
        $sets | Should -HaveCount 7
        $sets[6].NewBytes | Should -BeLessThan 1000

        Remove-NasBackupSet $test.Device -KeepLast 3 -Confirm:$false | Out-Null

        (Get-NasBackupSet $test.Device).SetId | Should -Be $days[4..6].SetId
        Test-NasBackupSet $test.Device -ErrorAction Stop | Should -HaveCount 3
        Get-Fingerprint $days[6].DataPath | Should -Be (Get-Fingerprint $test.Source)
    }
}
