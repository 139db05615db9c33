BeforeAll {
    Import-Module "$PSScriptRoot/Support.psm1" -Force
}

Describe 'Get-NasNode' {
    BeforeEach {
        $script:share = Join-Path $TestDrive ([guid]::NewGuid())
    }

    It 'gives all nodes, or those that a pattern matches' {
        Register-NasNode -Share $share nas1, nas2, other | Out-Null

        (Get-NasNode -Share $share).Name | Should -Be 'nas1', 'nas2', 'other'
        (Get-NasNode -Share $share nas*).Name | Should -Be 'nas1', 'nas2'
    }

    It 'counts 100 MB/s for a node without log and preset' {
        (Register-NasNode -Share $share nas1).EffectiveSpeed | Should -Be 100000000
    }

    It 'does not find <what> with <errorId>' -ForEach @(
        @{ What = 'a share that does not exist'; Made = $false; ErrorId = 'ShareNotFound' }
        @{ What = 'a node that is not registered'; Made = $true; ErrorId = 'NodeNotRegistered' }
    ) {
        if ($made) { Register-NasNode -Share $share nas1 | Out-Null }

        { Get-NasNode -Share $share stranger -ErrorAction Stop } | Should -Throw -ErrorId "$errorId,*"
    }
}
