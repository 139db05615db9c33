BeforeAll {
    Import-Module "$PSScriptRoot/Support.psm1" -Force
}

Describe 'Watch-NasBackupProgress' {
    BeforeEach {
        $script:test = Initialize-TestPlace (Join-Path $TestDrive ([guid]::NewGuid()))
        $script:place = $test.Place
    }

    It 'gives the last state of a backup that is complete' {
        $plan = New-NasBackupPlan @place -Path $test.Source -Node nas1
        $plan | Start-NasNodeBackup -Node nas1 | Out-Null

        $progress = $plan | Watch-NasBackupProgress

        $progress.Percent | Should -Be 100
        $progress.Status | Should -Be Completed
    }

    It 'gives each state on the way with -PassThru' {
        $job = Invoke-NasBackup @place -Path $test.Source -Node nas1, nas2 -MaxBytesPerSecond 40KB -AsJob
        Wait-Until { Get-NasBackupPlan -Share $place.Share -Status Running -ErrorAction SilentlyContinue }

        $states = Get-NasBackupPlan -Share $place.Share | Watch-NasBackupProgress -PassThru -Interval 300ms

        $states.Count | Should -BeGreaterThan 1
        $states[-1].Percent | Should -Be 100
        $states.Nodes.Node | Sort-Object -Unique | Should -Be 'nas1', 'nas2'
        $job | Remove-Job -Force
    }
}
