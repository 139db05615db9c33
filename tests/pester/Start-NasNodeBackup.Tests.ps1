BeforeAll {
    Import-Module "$PSScriptRoot/Support.psm1" -Force
}

Describe 'Start-NasNodeBackup' {
    BeforeEach {
        $script:test = Initialize-TestPlace (Join-Path $TestDrive ([guid]::NewGuid()))
        $script:place = $test.Place
    }

    It 'does a node''s part of a piped plan' {
        $result = New-NasBackupPlan @place -Path $test.Source -Node nas1 | Start-NasNodeBackup -Node nas1

        $result.Status | Should -Be Completed
        $result.Entries | Should -Be 22
        Get-Fingerprint $result.DataPath | Should -Be (Get-Fingerprint $test.Source)
    }

    It 'takes plans that were filtered on the way' {
        New-NasBackupPlan @place -Path $test.Source -Node nas1 | Out-Null

        $results = Get-NasBackupPlan -Share $place.Share | Where-Object Status -EQ Planned | Start-NasNodeBackup -Node nas1

        $results.Status | Should -Be Completed
    }

    It 'takes its node from the environment' {
        $plan = New-NasBackupPlan @place -Path $test.Source -Node nas1
        $env:NASBACKUP_NODE = 'nas1'
        try {
            ($plan | Start-NasNodeBackup).Node | Should -Be nas1
        }
        finally {
            $env:NASBACKUP_NODE = $null
        }
    }

    It 'runs as a job that Receive-Job ends with the result' {
        $job = New-NasBackupPlan @place -Path $test.Source -Node nas1 | Start-NasNodeBackup -Node nas1 -AsJob

        ($job | Receive-Job -Wait).Status | Should -Be Completed
        $job.State | Should -Be Completed
        $job.ChildJobs.Location | Should -Be nas1
    }

    It 'needs a registered node' {
        $plan = New-NasBackupPlan @place -Path $test.Source -Node nas1

        { $plan | Start-NasNodeBackup -Node stranger -ErrorAction Stop } | Should -Throw -ErrorId 'NodeNotRegistered,*'
    }
}
