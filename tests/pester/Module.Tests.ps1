BeforeDiscovery {
    $script:cmdlets = (Import-PowerShellDataFile "$PSScriptRoot/../../module/NasBackup.psd1").CmdletsToExport
}

BeforeAll {
    Import-Module "$PSScriptRoot/../../module/NasBackup.psd1" -Force
}

Describe 'The module' {
    It 'is a valid manifest' {
        Test-ModuleManifest "$PSScriptRoot/../../module/NasBackup.psd1" | Should -Not -BeNullOrEmpty
    }

    It 'exports exactly what its manifest lists' {
        $listed = (Import-PowerShellDataFile "$PSScriptRoot/../../module/NasBackup.psd1").CmdletsToExport | Sort-Object
        (Get-Module NasBackup).ExportedCommands.Keys | Sort-Object | Should -Be $listed
    }

    It 'keeps its dependencies out of the default load context' {
        $default = [Runtime.Loader.AssemblyLoadContext]::Default.Assemblies.GetName().Name
        $default | Should -Contain 'NasBackup.Core'
        $default | Should -Not -Contain 'ZstdSharp'
    }

    It '<_> declares what it emits' -ForEach $cmdlets {
        (Get-Command $_).OutputType | Should -Not -BeNullOrEmpty
    }

    It '<_> has help with examples, offline' -ForEach $cmdlets {
        $help = Get-Help $_ -Full

        $help.Synopsis | Should -Not -BeLike "$_*"
        $help.examples.example | Where-Object { -not $_.code } | Should -BeNullOrEmpty
        $help.parameters.parameter | Where-Object { -not $_.description } | Should -BeNullOrEmpty
    }

    It 'explains <_>' -ForEach 'about_NasBackup', 'about_NasBackup_Takeover', 'about_NasBackup_Formats', 'about_NasBackup_Errors' {
        Get-Help $_ | Should -Match 'SHORT DESCRIPTION'
    }
}
