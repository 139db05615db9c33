BeforeAll {
    Import-Module "$PSScriptRoot/Support.psm1" -Force
}

Describe 'Find-NasBackupItem' {
    BeforeAll {
        $script:test = Initialize-TestPlace (Join-Path $TestDrive ([guid]::NewGuid()))
        $place = $test.Place
        $script:first = Invoke-NasBackup @place -Path $test.Source -Node nas1, nas2
        $script:device = $test.Device
    }

    It 'finds by pattern, size and kind' {
        (Find-NasBackupItem $device -Path file2*.txt).Path | Should -HaveCount 2
        (Find-NasBackupItem $device -MinSize 19000 -Kind File).Path | Split-Path -Leaf | Sort-Object | Should -Be 'file19.txt', 'file20.txt'
        (Find-NasBackupItem $device -Kind Directory).Path | Should -HaveCount 2
    }

    It 'takes a device and a pattern by position' {
        (Find-NasBackupItem $device file7.txt).Path | Should -HaveCount 1
        (Find-NasBackupItem $device file7.txt $first.SetId).SetId | Should -Be $first.SetId
    }

    It 'pipes into Restore-NasBackup' {
        $target = Join-Path $TestDrive found

        Find-NasBackupItem $device -Path file7.txt | Restore-NasBackup -Destination $target | Out-Null

        Get-ChildItem $target -Recurse -File | Split-Path -Leaf | Should -Be file7.txt
    }
}
