BeforeAll {
    Import-Module "$PSScriptRoot/Support.psm1" -Force
}

Describe 'Remove-NasBackupPlan' {
    BeforeEach {
        $script:test = Initialize-TestPlace (Join-Path $TestDrive ([guid]::NewGuid()))
        $script:place = $test.Place
    }

    It 'takes the plan off the share, and leaves the set' {
        $result = Invoke-NasBackup @place -Path $test.Source -Node nas1

        Get-NasBackupPlan -Share $place.Share | Remove-NasBackupPlan -Confirm:$false

        Get-NasBackupPlan -Share $place.Share | Should -BeNullOrEmpty
        (Get-NasBackupSet $place.Destination).SetId | Should -Be $result.SetId
    }

    It 'removes nothing with -WhatIf' {
        $plan = New-NasBackupPlan @place -Path $test.Source -Node nas1

        $plan | Remove-NasBackupPlan -WhatIf

        (Get-NasBackupPlan -Share $place.Share).Id | Should -Be $plan.Id
    }
}
