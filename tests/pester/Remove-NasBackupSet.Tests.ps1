BeforeAll {
    Import-Module "$PSScriptRoot/Support.psm1" -Force
}

Describe 'Remove-NasBackupSet' {
    BeforeAll {
        $script:test = Initialize-TestPlace (Join-Path $TestDrive ([guid]::NewGuid()))
        $place = $test.Place
        $script:first = Invoke-NasBackup @place -Path $test.Source -Node nas1, nas2
        $script:device = $test.Device
    }

    It 'removes nothing with -WhatIf' {
        Remove-NasBackupSet $device $first.SetId -WhatIf

        Get-NasBackupSet $device | Should -HaveCount 1
    }

    It 'needs a set or a rule' {
        { Remove-NasBackupSet $device -Confirm:$false -ErrorAction Stop } | Should -Throw -ErrorId 'SetNotGiven,*'
    }

    It 'removes what no rule keeps' {
        $place = $test.Place
        $second = Invoke-NasBackup @place -Path $test.Source -Node nas1

        $decisions = Remove-NasBackupSet $device -KeepLast 1 -Confirm:$false

        ($decisions | Where-Object Action -EQ Removed).SetId | Should -Be $first.SetId
        (Get-NasBackupSet $device).SetId | Should -Be $second.SetId
    }
}
