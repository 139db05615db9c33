BeforeAll {
    Import-Module "$PSScriptRoot/Support.psm1" -Force
}

Describe 'Register-NasNode' {
    BeforeEach {
        $script:share = Join-Path $TestDrive ([guid]::NewGuid())
    }

    It 'takes names from the pipeline, makes the share, and gives the nodes' {
        $nodes = 'nas1', 'nas2' | Register-NasNode -Share $share -Speed 100MB

        $nodes.Name | Should -Be 'nas1', 'nas2'
        $nodes.Speed | Should -Be 100MB, 100MB
        Join-Path $share nasbackup.json | Should -Exist
    }

    It 'takes its share from the environment' {
        $env:NASBACKUP_SHARE = $share
        try {
            (Register-NasNode nas1).Share | Should -Be $share
        }
        finally {
            $env:NASBACKUP_SHARE = $null
        }
    }

    It 'refuses <name> with <errorId>' -ForEach @(
        @{ Name = 'a/b'; ErrorId = 'NodeNameInvalid' }
        @{ Name = 'a b'; ErrorId = 'NodeNameInvalid' }
        @{ Name = '..'; ErrorId = 'NodeNameInvalid' }
    ) {
        { Register-NasNode -Share $share -Name $name -ErrorAction Stop } | Should -Throw -ErrorId "$errorId,*"
    }

    It 'goes on with the next name after one that is bad' {
        (Register-NasNode -Share $share -Name 'a b', nas1 -ErrorAction SilentlyContinue).Name | Should -Be nas1
    }

    It 'refuses a name twice, whatever its case' {
        Register-NasNode -Share $share nas1 | Out-Null

        { Register-NasNode -Share $share NAS1 -ErrorAction Stop } | Should -Throw -ErrorId 'NodeAlreadyRegistered,*'
    }

    It 'touches nothing with -WhatIf' {
        Register-NasNode -Share $share nas1 -WhatIf

        $share | Should -Not -Exist
    }
}
