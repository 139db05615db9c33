BeforeAll {
    Import-Module "$PSScriptRoot/Support.psm1" -Force
}

Describe 'New-NasClusterKey' {
    BeforeEach {
        $script:test = Initialize-TestPlace (Join-Path $TestDrive ([guid]::NewGuid()))
        $script:place = $test.Place
        $script:file = Join-Path $TestDrive "$([guid]::NewGuid()).key"
    }

    It 'makes a key file that its owner alone reads, and shows no secret' {
        $key = New-NasClusterKey $file

        $key.Path | Should -Be $file
        $key.Keys | Should -Be 1
        $secret = (Get-Content $file)[-1].Split(' ')[-1]
        $key | Format-List * | Out-String | Should -Not -BeLike "*$secret*"
        if (-not $IsWindows) {
            (Get-Item $file).UnixMode | Should -Be '-rw-------'
        }
    }

    It 'adds a key with -Append, and the new one signs' {
        $first = New-NasClusterKey $file

        $second = New-NasClusterKey $file -Append

        $second.Keys | Should -Be 2
        $second.KeyId | Should -Not -Be $first.KeyId
    }

    It 'overwrites no key' {
        New-NasClusterKey $file | Out-Null
        $before = Get-Content $file

        { New-NasClusterKey $file -ErrorAction Stop } | Should -Throw -ErrorId 'KeyFileExists,*'

        Get-Content $file | Should -Be $before
    }

    It 'touches nothing with -WhatIf' {
        New-NasClusterKey $file -WhatIf

        $file | Should -Not -Exist
    }

    It 'keeps nodes from taking the orders of whoever has no key' {
        $settings = Join-Path $TestDrive "$([guid]::NewGuid()).json"
        New-NasClusterKey $file | Out-Null
        @{ keyFile = $file } | ConvertTo-Json | Set-Content $settings
        $plan = New-NasBackupPlan @place -Path $test.Source -Node nas1

        $env:NASBACKUP_SETTINGS = $settings
        try {
            { $plan | Start-NasNodeBackup -Node nas1 -ErrorAction Stop } | Should -Throw -ErrorId 'SignatureInvalid,*'
            $own = @{ Share = "$($test.Share)-own"; Destination = "$($test.Device)-own" }
            (Invoke-NasBackup @own -Path $test.Source -Node nas1).Status | Should -Be Completed
        }
        finally {
            $env:NASBACKUP_SETTINGS = $null
        }
    }
}
