BeforeAll {
    Import-Module "$PSScriptRoot/../../module/NasBackup.psd1" -Force
}

Describe 'The nodes of a share' {
    BeforeEach {
        $share = Join-Path $TestDrive ([guid]::NewGuid())
    }

    It 'are registered, found by wildcard, changed and unregistered' {
        'nas1', 'nas2' | Register-NasNode -Share $share -Speed 100MB | Should -HaveCount 2
        (Get-NasNode -Share $share nas*).Name | Should -Be 'nas1', 'nas2'
        (Get-NasNode -Share $share nas1).Speed | Should -Be 100MB

        (Get-NasNode -Share $share nas1 | Set-NasNode -Speed 2GiB).Speed | Should -Be 2GB
        (Set-NasNode -Share $share nas1 -ClearSpeed).Speed | Should -BeNullOrEmpty

        Get-NasNode -Share $share | Unregister-NasNode
        Get-NasNode -Share $share | Should -BeNullOrEmpty
    }

    It 'take their share from the environment' {
        $env:NASBACKUP_SHARE = $share
        try {
            Register-NasNode nas1 | Out-Null
            (Get-NasNode).Share | Should -Be $share
        }
        finally {
            $env:NASBACKUP_SHARE = $null
        }
    }

    It 'refuse <name> with <errorId>' -ForEach @(
        @{ Name = 'a/b'; ErrorId = 'NodeNameInvalid' }
        @{ Name = 'a b'; ErrorId = 'NodeNameInvalid' }
        @{ Name = '..'; ErrorId = 'NodeNameInvalid' }
    ) {
        { Register-NasNode -Share $share -Name $name -ErrorAction Stop } | Should -Throw -ErrorId "$errorId,*"
    }

    It 'are not found on a share that does not exist' {
        { Get-NasNode -Share $share -ErrorAction Stop } | Should -Throw -ErrorId 'ShareNotFound,*'
    }

    It 'stay as they are with -WhatIf' {
        Register-NasNode -Share $share nas1 -WhatIf
        $share | Should -Not -Exist
    }
}
