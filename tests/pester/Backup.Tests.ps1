BeforeAll {
    Import-Module "$PSScriptRoot/../../module/NasBackup.psd1" -Force
}

Describe 'A backup' {
    BeforeEach {
        $root = Join-Path $TestDrive ([guid]::NewGuid())
        $source = New-Item -ItemType Directory (Join-Path $root source)
        1..50 | ForEach-Object { Set-Content (Join-Path $source "file$_.txt") ('x' * $_ * 1000) }
        $place = @{ Share = Join-Path $root share; Destination = Join-Path $root device }
    }

    It 'is planned and done by all nodes in one call' {
        $result = Invoke-NasBackup @place -Path $source -Node nas1, nas2, nas3

        $result.Status | Should -Be Completed
        $result.Entries | Should -Be 51
        $result.FailedNodes | Should -BeNullOrEmpty
        foreach ($file in Get-ChildItem $source) {
            (Get-FileHash (Join-Path $result.DataPath $file.Name)).Hash | Should -Be (Get-FileHash $file).Hash
        }
    }

    It 'tells the completion script once' {
        $told = [Collections.Generic.List[object]]::new()
        $result = Invoke-NasBackup @place -Path $source -Node nas1 -OnCompletion { param($result) $told.Add($_); $told.Add($result) }

        $told.SetId | Should -Be $result.SetId, $result.SetId
    }

    It 'is done by a node on a piped plan, and leaves counters at zero and a log' {
        $plan = New-NasBackupPlan @place -Path $source -Node nas1

        $result = $plan | Start-NasNodeBackup -Node nas1

        $result.Status | Should -Be Completed
        ($plan | Get-NasBackupCounter).EntriesLeft | Measure-Object -Sum | ForEach-Object Sum | Should -Be 0
        (Get-NasBackupLog -Share $place.Share nas1).Entries | Should -Be 51
        ($plan | Watch-NasBackupProgress).Percent | Should -Be 100
    }

    It 'takes a plan that crossed remoting' {
        $plan = New-NasBackupPlan @place -Path $source -Node nas1
        $crossed = [Management.Automation.PSSerializer]::Deserialize([Management.Automation.PSSerializer]::Serialize($plan, 4))

        ($crossed | Invoke-NasBackup).Status | Should -Be Completed
    }

    It 'is refused with <errorId> for <reason>' -ForEach @(
        @{ Reason = 'a plan that does not exist'; ErrorId = 'PlanNotFound'; With = @{ PlanId = '20200101T000000Z-abcdef'; Node = 'nas1' } }
        @{ Reason = 'an id that is none'; ErrorId = 'PlanIdInvalid'; With = @{ PlanId = '../x'; Node = 'nas1' } }
        @{ Reason = 'a node name with a slash'; ErrorId = 'NodeNameInvalid'; With = @{ PlanId = '20200101T000000Z-abcdef'; Node = 'a/b' } }
    ) {
        Register-NasNode -Share $place.Share nas1 | Out-Null

        { Start-NasNodeBackup -Share $place.Share @with -ErrorAction Stop } | Should -Throw -ErrorId "$errorId,*"
    }

    It 'needs a registered node' {
        $plan = New-NasBackupPlan @place -Path $source -Node nas1

        { $plan | Start-NasNodeBackup -Node stranger -ErrorAction Stop } | Should -Throw -ErrorId 'NodeNotRegistered,*'
    }
}
