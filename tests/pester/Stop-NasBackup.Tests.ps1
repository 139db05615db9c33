BeforeAll {
    Import-Module "$PSScriptRoot/Support.psm1" -Force
}

Describe 'Stop-NasBackup' {
    BeforeEach {
        $script:test = Initialize-TestPlace (Join-Path $TestDrive ([guid]::NewGuid()))
        $script:place = $test.Place
    }

    It 'stops a plan, which can be resumed' {
        $plan = New-NasBackupPlan @place -Path $test.Source -Node nas1

        ($plan | Stop-NasBackup).Status | Should -Be Stopped
        ($plan | Start-NasNodeBackup -Node nas1).Status | Should -Be Completed
    }

    It 'has nothing to stop in a plan that is complete' {
        $result = Invoke-NasBackup @place -Path $test.Source -Node nas1

        { Stop-NasBackup -Share $place.Share $result.PlanId -ErrorAction Stop } | Should -Throw -ErrorId 'PlanCompleted,*'
    }
}
