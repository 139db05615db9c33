BeforeAll {
    Import-Module "$PSScriptRoot/Support.psm1" -Force
}

Describe 'Get-NasBackupPlan' {
    BeforeEach {
        $script:test = Initialize-TestPlace (Join-Path $TestDrive ([guid]::NewGuid()))
        $script:place = $test.Place
    }

    It 'finds plans by id, pattern and status' {
        $plan = New-NasBackupPlan @place -Path $test.Source -Node nas1

        (Get-NasBackupPlan -Share $place.Share $plan.Id).Id | Should -Be $plan.Id
        (Get-NasBackupPlan -Share $place.Share 20*).Id | Should -Be $plan.Id
        Get-NasBackupPlan -Share $place.Share -Status Completed | Should -BeNullOrEmpty
    }

    It 'says <errorId> for <id>' -ForEach @(
        @{ Id = '20200101T000000Z-abcdef'; ErrorId = 'PlanNotFound' }
        @{ Id = '../x'; ErrorId = 'PlanIdInvalid' }
    ) {
        New-NasBackupPlan @place -Path $test.Source -Node nas1 | Out-Null

        { Get-NasBackupPlan -Share $place.Share $id -ErrorAction Stop } | Should -Throw -ErrorId "$errorId,*"
    }
}
