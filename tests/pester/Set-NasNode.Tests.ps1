BeforeAll {
    Import-Module "$PSScriptRoot/Support.psm1" -Force
}

Describe 'Set-NasNode' {
    BeforeEach {
        $script:share = Join-Path $TestDrive ([guid]::NewGuid())
    }

    It 'presets a speed in binary or decimal units, and takes it away again' {
        Register-NasNode -Share $share nas1 -Speed 100MB | Out-Null

        (Get-NasNode -Share $share nas1 | Set-NasNode -Speed 2GiB).Speed | Should -Be 2GB
        (Set-NasNode -Share $share nas1 -ClearSpeed).Speed | Should -BeNullOrEmpty
    }

    It 'replaces the whole path map' {
        Register-NasNode -Share $share nas1 -PathMap @{ '/a' = '/b' } | Out-Null

        $node = Set-NasNode -Share $share nas1 -PathMap @{ '/c' = '/d' }

        $node.PathMap.Keys | Should -Be '/c'
    }
}
