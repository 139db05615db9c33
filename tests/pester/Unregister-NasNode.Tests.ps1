BeforeAll {
    Import-Module "$PSScriptRoot/Support.psm1" -Force
}

Describe 'Unregister-NasNode' {
    BeforeEach {
        $script:share = Join-Path $TestDrive ([guid]::NewGuid())
    }

    It 'takes nodes off the share' {
        Register-NasNode -Share $share nas1, nas2 | Out-Null

        Get-NasNode -Share $share nas1 | Unregister-NasNode

        (Get-NasNode -Share $share).Name | Should -Be nas2
    }
}
