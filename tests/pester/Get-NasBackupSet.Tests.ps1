BeforeAll {
    Import-Module "$PSScriptRoot/Support.psm1" -Force
}

Describe 'Get-NasBackupSet' {
    BeforeAll {
        $script:test = Initialize-TestPlace (Join-Path $TestDrive ([guid]::NewGuid()))
        $place = $test.Place
        $script:first = Invoke-NasBackup @place -Path $test.Source -Node nas1, nas2
        $script:device = $test.Device
    }

    It 'gives the sets of a device' {
        $set = Get-NasBackupSet $device

        $set.SetId | Should -Be $first.SetId
        $set.Status | Should -Be Completed
        $set.Entries | Should -Be 22
    }

    It 'serves as a monitor of age' {
        (Get-NasBackupSet $device -Newest -MaxAge 1h).SetId | Should -Be $first.SetId
        { Get-NasBackupSet $device -Newest -MaxAge 0s -ErrorAction Stop } | Should -Throw -ErrorId 'SetTooOld,*'
    }

    It 'says SetNotFound for an id that is not there' {
        { Get-NasBackupSet $device 20200101T000000Z-abcdef -ErrorAction Stop } | Should -Throw -ErrorId 'SetNotFound,*'
    }
}
