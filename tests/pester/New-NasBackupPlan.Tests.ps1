BeforeAll {
    Import-Module "$PSScriptRoot/Support.psm1" -Force
}

Describe 'New-NasBackupPlan' {
    BeforeEach {
        $script:test = Initialize-TestPlace (Join-Path $TestDrive ([guid]::NewGuid()))
        $script:place = $test.Place
    }

    It 'finds every entry and gives each node a list' {
        $plan = New-NasBackupPlan @place -Path $test.Source -Node nas1, nas2

        $plan.Id | Should -Match '^\d{8}T\d{6}Z-[a-z0-9]{6}$'
        $plan.Status | Should -Be Planned
        $plan.Entries | Should -Be 22
        $plan.Lists.Node | Should -Be 'nas1', 'nas2'
        ($plan.Lists.Entries | Measure-Object -Sum).Sum | Should -Be 22
    }

    It 'makes one plan of all files that are piped in' {
        $plan = Get-Item (Join-Path $test.Source folder/file1*.txt) | New-NasBackupPlan @place -Node nas1

        $plan.Path | Should -HaveCount 11
    }

    It 'takes what Get-Item gives as it stands, also where a name looks like a pattern' {
        $odd = Join-Path $test.Source 'odd[1].txt'
        Set-Content -LiteralPath $odd x

        (Get-Item -LiteralPath $odd | New-NasBackupPlan @place -Node nas1).Path | Should -Be $odd
    }

    It 'apportions by speed' {
        Register-NasNode -Share $place.Share fast -Speed 300MB | Out-Null
        Register-NasNode -Share $place.Share slow -Speed 100MB | Out-Null

        $plan = New-NasBackupPlan @place -Path $test.Source -Strategy Proportional

        ($plan.Lists | Where-Object Node -EQ fast).Ratio | Should -BeGreaterThan 0.7
    }

    It 'tells with -Verbose why each list is as long as it is' {
        $told = New-NasBackupPlan @place -Path $test.Source -Node nas1, nas2 -Verbose 4>&1 | Where-Object { $_ -is [Management.Automation.VerboseRecord] }

        $told -join ' ' | Should -Match 'L1 for nas1: \d+ entries.*L2 for nas2'
    }

    It 'is refused with <errorId> for <reason>' -ForEach @(
        @{ Reason = 'a source that does not exist'; ErrorId = 'SourceNotFound'; With = @{ Path = '/does/not/exist' } }
        @{ Reason = 'a pattern that matches nothing'; ErrorId = 'SourceNotFound'; With = @{ Path = '/does/not/exist/*' } }
        @{ Reason = 'a node with a slash'; ErrorId = 'NodeNameInvalid'; With = @{ Node = 'a/b' } }
        @{ Reason = 'a timeout below a second'; ErrorId = 'FailureTimeoutTooShort'; With = @{ FailureTimeout = '0.5s' } }
        @{ Reason = 'a share whose parent does not exist'; ErrorId = 'ShareNotFound'; With = @{ Share = '/does/not/exist' } }
        @{ Reason = 'a device whose parent does not exist'; ErrorId = 'DeviceNotFound'; With = @{ Destination = '/does/not/exist' } }
    ) {
        $parameters = @{ Path = $test.Source; Node = 'nas1' } + $place
        foreach ($name in $with.Keys) { $parameters[$name] = $with[$name] }

        { New-NasBackupPlan @parameters -ErrorAction Stop } | Should -Throw -ErrorId "$errorId,*"
    }

    It 'is refused for a device inside the source' {
        { New-NasBackupPlan -Share $place.Share -Path $test.Source -Destination (Join-Path $test.Source device) -Node nas1 } |
            Should -Throw -ErrorId 'DestinationInsideSource,*'
    }
}
