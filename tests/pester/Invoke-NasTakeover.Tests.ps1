BeforeAll {
    Import-Module "$PSScriptRoot/Support.psm1" -Force
}

Describe 'Invoke-NasTakeover' {
    BeforeEach {
        $script:test = Initialize-TestPlace (Join-Path $TestDrive ([guid]::NewGuid()))
        $script:place = $test.Place
    }

    It 'is refused while no other node is at work' {
        $plan = New-NasBackupPlan @place -Path $test.Source -Node nas1, nas2

        { $plan | Invoke-NasTakeover -FailedNode nas2 -ErrorAction Stop } | Should -Throw -ErrorId 'PlanNotReady,*'
    }

    It 'asks nothing and does nothing with -WhatIf' {
        $plan = New-NasBackupPlan @place -Path $test.Source -Node nas1, nas2

        $plan | Invoke-NasTakeover -FailedNode nas2 -WhatIf | Should -BeNullOrEmpty
    }
}
