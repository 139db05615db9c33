BeforeAll {
    Import-Module "$PSScriptRoot/Support.psm1" -Force
}

Describe 'Set-NasBackupSet' {
    BeforeAll {
        $script:test = Initialize-TestPlace (Join-Path $TestDrive ([guid]::NewGuid()))
        $place = $test.Place
        $script:first = Invoke-NasBackup @place -Path $test.Source -Node nas1, nas2
        $script:device = $test.Device
    }

    It 'holds a set against removal, and releases it' {
        (Set-NasBackupSet $device $first.SetId -Hold).IsHeld | Should -BeTrue
        { Remove-NasBackupSet $device $first.SetId -Confirm:$false -ErrorAction Stop } | Should -Throw -ErrorId 'SetHeld,*'
        (Set-NasBackupSet $device $first.SetId -Hold:$false).IsHeld | Should -BeFalse
    }
}
