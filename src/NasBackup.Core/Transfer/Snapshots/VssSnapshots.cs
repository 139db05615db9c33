namespace NasBackup.Transfer;

/// <summary>Shadow copies of a Windows volume, made by WMI and reached through a link in the volume's root.</summary>
internal sealed class VssSnapshots : ISnapshotProvider
{
    public SnapshotMode Mode => SnapshotMode.Vss;

    public SnapshotSteps Prepare(string source, string name)
    {
        string volume = VolumeOf(source);
        string folder = SnapshotNames.FolderIn(volume);
        string link = Path.Combine(folder, name);
        string script = $$"""
            $ErrorActionPreference = 'Stop'
            $made = Invoke-CimMethod -ClassName Win32_ShadowCopy -MethodName Create -Arguments @{ Volume = {{Quote(volume)}}; Context = 'ClientAccessible' }
            if ($made.ReturnValue -ne 0) { throw "Win32_ShadowCopy.Create returned $($made.ReturnValue)" }
            $copy = Get-CimInstance Win32_ShadowCopy -Filter "ID = '$($made.ShadowID)'"
            New-Item -ItemType Directory -Force {{Quote(folder)}} | Out-Null
            cmd /c mklink /d {{Quote(link)}} "$($copy.DeviceObject)\" | Out-Null
            if ($LASTEXITCODE -ne 0) { Remove-CimInstance $copy; throw 'mklink failed' }
            """;
        return new SnapshotSteps([PowerShell(script)], SnapshotNames.Below(link, volume, source));
    }

    public IReadOnlyList<FoundSnapshot> Find(string source, string prefix)
    {
        string folder = SnapshotNames.FolderIn(VolumeOf(source));
        return [.. SnapshotNames.In(folder, prefix).Select(name => new FoundSnapshot(name, [PowerShell($"""
            $ErrorActionPreference = 'Stop'
            $link = Get-Item -Force {Quote(Path.Combine(folder, name))}
            $device = ([string] $link.Target).TrimEnd('\')
            Get-CimInstance Win32_ShadowCopy | Where-Object DeviceObject -EQ $device | Remove-CimInstance
            $link.Delete()
            """)]))];
    }

    private static string VolumeOf(string source) => OperatingSystem.IsWindows() && Path.GetPathRoot(source) is { Length: > 0 } root
        ? root
        : throw new SnapshotException($"'{source}' does not lie on a volume of Windows, which VSS needs");

    private static CommandLine PowerShell(string script) => new("powershell.exe", "-NoProfile", "-NonInteractive", "-Command", script);

    private static string Quote(string text) => $"'{text.Replace("'", "''", StringComparison.Ordinal)}'";
}
