BeforeAll {
    Import-Module "$PSScriptRoot/Support.psm1" -Force
}

Describe 'Restore-NasBackup' {
    BeforeAll {
        $script:test = Initialize-TestPlace (Join-Path $TestDrive ([guid]::NewGuid()))
        $place = $test.Place
        $script:first = Invoke-NasBackup @place -Path $test.Source -Node nas1, nas2
        $script:device = $test.Device
    }

    It 'restores a set to another folder' {
        $target = Join-Path $TestDrive whole

        Get-NasBackupSet $device | Restore-NasBackup -Destination $target | Out-Null

        Get-Fingerprint $target | Should -Be (Get-Fingerprint $test.Source)
    }

    It 'puts back what was lost, and keeps what is there' {
        $lost = Join-Path $test.Source folder/file1.txt
        Remove-Item $lost
        $changed = Join-Path $test.Source folder/file2.txt
        Set-Content $changed new

        Restore-NasBackup $device $first.SetId -WarningAction SilentlyContinue | Out-Null

        $lost | Should -Exist
        Get-Content $changed | Should -Be new
    }

    It 'lists what it would do with -WhatIf' {
        $target = Join-Path $TestDrive nowhere

        $would = Restore-NasBackup $device $first.SetId -Destination $target -WhatIf

        $would.Count | Should -BeGreaterOrEqual 20
        $target | Should -Not -Exist
    }
}
