BeforeAll {
    Import-Module "$PSScriptRoot/../../module/NasBackup.psd1" -Force
}

Describe 'A plan' {
    BeforeEach {
        $root = Join-Path $TestDrive ([guid]::NewGuid())
        $source = New-Item -ItemType Directory (Join-Path $root source)
        1..20 | ForEach-Object { Set-Content (Join-Path $source "file$_.txt") ('x' * $_ * 1000) }
        $place = @{ Share = Join-Path $root share; Destination = Join-Path $root device }
    }

    It 'is made of a folder for the nodes that are named' {
        $plan = New-NasBackupPlan @place -Path $source -Node nas1, nas2

        $plan.Id | Should -Match '^\d{8}T\d{6}Z-[a-z0-9]{6}$'
        $plan.Status | Should -Be Planned
        $plan.Entries | Should -Be 21
        $plan.Lists.Node | Should -Be 'nas1', 'nas2'
    }

    It 'is made of piped files' {
        $plan = Get-Item (Join-Path $source file1*.txt) | New-NasBackupPlan @place -Node nas1

        $plan.Path | Should -HaveCount 11
    }

    It 'is found by id and status, and removed' {
        $plan = New-NasBackupPlan @place -Path $source -Node nas1

        (Get-NasBackupPlan -Share $place.Share -Id $plan.Id).Id | Should -Be $plan.Id
        Get-NasBackupPlan -Share $place.Share -Status Completed | Should -BeNullOrEmpty
        $plan | Remove-NasBackupPlan -Confirm:$false
        Get-NasBackupPlan -Share $place.Share | Should -BeNullOrEmpty
    }

    It 'is refused with <errorId> for <reason>' -ForEach @(
        @{ Reason = 'a source that does not exist'; ErrorId = 'SourceNotFound'; With = @{ Path = '/does/not/exist' } }
        @{ Reason = 'a pattern that matches nothing'; ErrorId = 'SourceNotFound'; With = @{ Path = '/does/not/exist/*' } }
        @{ Reason = 'a node with a slash'; ErrorId = 'NodeNameInvalid'; With = @{ Node = 'a/b' } }
        @{ Reason = 'a timeout below a second'; ErrorId = 'FailureTimeoutTooShort'; With = @{ FailureTimeout = '0.5s' } }
        @{ Reason = 'a share whose parent does not exist'; ErrorId = 'ShareNotFound'; With = @{ Share = '/does/not/exist' } }
        @{ Reason = 'a device whose parent does not exist'; ErrorId = 'DeviceNotFound'; With = @{ Destination = '/does/not/exist' } }
    ) {
        $parameters = @{ Path = $source; Node = 'nas1' } + $place
        foreach ($name in $with.Keys) { $parameters[$name] = $with[$name] }

        { New-NasBackupPlan @parameters -ErrorAction Stop } | Should -Throw -ErrorId "$errorId,*"
    }

    It 'is refused for a device inside the source' {
        { New-NasBackupPlan -Share $place.Share -Path $source -Destination (Join-Path $source device) -Node nas1 } |
            Should -Throw -ErrorId 'DestinationInsideSource,*'
    }
}
