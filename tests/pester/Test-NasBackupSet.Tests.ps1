BeforeAll {
    Import-Module "$PSScriptRoot/Support.psm1" -Force
}

Describe 'Test-NasBackupSet' {
    BeforeAll {
        $script:test = Initialize-TestPlace (Join-Path $TestDrive ([guid]::NewGuid()))
        $place = $test.Place
        $script:first = Invoke-NasBackup @place -Path $test.Source -Node nas1, nas2
        $script:device = $test.Device
    }

    It 'finds nothing wrong with a good set, in full and quickly' {
        Test-NasBackupSet $device -ErrorAction Stop | Should -HaveCount 1
        Test-NasBackupSet $device -Quick -ErrorAction Stop | Should -HaveCount 1
    }

    It 'names each file that is damaged or missing' {
        $data = Join-Path $first.DataPath folder
        $stamp = (Get-Item (Join-Path $data file3.txt)).LastWriteTimeUtc
        [IO.File]::WriteAllText((Join-Path $data file3.txt), 'y' * 3000 + [Environment]::NewLine)
        (Get-Item (Join-Path $data file3.txt)).LastWriteTimeUtc = $stamp
        Remove-Item (Join-Path $data file5.txt)

        Test-NasBackupSet $device -ErrorAction SilentlyContinue -ErrorVariable problems | Out-Null

        $problems.TargetObject | Split-Path -Leaf | Sort-Object -Unique | Should -Be 'file3.txt', 'file5.txt'
    }
}
