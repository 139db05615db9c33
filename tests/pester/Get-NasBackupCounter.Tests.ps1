BeforeAll {
    Import-Module "$PSScriptRoot/Support.psm1" -Force
}

Describe 'Get-NasBackupCounter' {
    BeforeEach {
        $script:test = Initialize-TestPlace (Join-Path $TestDrive ([guid]::NewGuid()))
        $script:place = $test.Place
    }

    It 'stands at the number of entries before, and at zero after' {
        $plan = New-NasBackupPlan @place -Path $test.Source -Node nas1, nas2

        (($plan | Get-NasBackupCounter).EntriesLeft | Measure-Object -Sum).Sum | Should -Be 22
        ($plan | Get-NasBackupCounter -Node *2).Assignment | Should -Be L2
        $plan | Invoke-NasBackup | Out-Null
        (($plan | Get-NasBackupCounter).EntriesLeft | Measure-Object -Sum).Sum | Should -Be 0
    }
}
