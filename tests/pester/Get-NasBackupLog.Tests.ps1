BeforeAll {
    Import-Module "$PSScriptRoot/Support.psm1" -Force
}

Describe 'Get-NasBackupLog' {
    BeforeEach {
        $script:test = Initialize-TestPlace (Join-Path $TestDrive ([guid]::NewGuid()))
        $script:place = $test.Place
    }

    It 'has a record for each run of each node, by node and by plan' {
        $result = Invoke-NasBackup @place -Path $test.Source -Node nas1, nas2

        (Get-NasBackupLog -Share $place.Share).Node | Sort-Object | Should -Be 'nas1', 'nas2'
        (Get-NasBackupLog -Share $place.Share -Node nas2 -Plan $result.PlanId).Bytes | Should -BeGreaterThan 0
    }
}
