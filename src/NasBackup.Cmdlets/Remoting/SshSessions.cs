using System.Collections;
using System.Management.Automation;
using System.Management.Automation.Runspaces;

namespace NasBackup.Cmdlets.Remoting;

/// <summary>Sessions over SSH that a cmdlet opens for itself and closes at its end.</summary>
/// <param name="session">The shell's state, whose New-PSSession makes them.</param>
internal sealed class SshSessions(CommandInvocationIntrinsics session) : IDisposable
{
    private const int ConnectingTimeoutMilliseconds = 30_000;

    private readonly List<PSSession> _opened = [];

    /// <summary>Opens one.</summary>
    /// <param name="host">[user@]host[:port].</param>
    /// <param name="userName">Or null: the user of SSH's own configuration.</param>
    /// <param name="keyFilePath">Or null: the keys of SSH's own configuration.</param>
    /// <param name="options">Options of ssh, or null.</param>
    /// <exception cref="BackupException">HostNotFound, HostNotReached.</exception>
    public PSSession Open(string host, string? userName, string? keyFilePath, Hashtable? options)
    {
        var parameters = new Hashtable { ["HostName"] = host, ["ConnectingTimeout"] = ConnectingTimeoutMilliseconds, ["ErrorAction"] = ActionPreference.Stop };
        if (userName is not null)
        {
            parameters["UserName"] = userName;
        }

        if (keyFilePath is not null)
        {
            parameters["KeyFilePath"] = keyFilePath;
        }

        if (options is not null)
        {
            parameters["Options"] = options;
        }

        try
        {
            var opened = (PSSession)session.InvokeScript("$parameters = $args[0]; New-PSSession @parameters", parameters)[0].BaseObject;
            _opened.Add(opened);
            return opened;
        }
        catch (RuntimeException e)
        {
            throw IsUnknown(SessionMatch.HostOf(host))
                ? new BackupException(ErrorIds.HostNotFound, ErrorKind.NotFound, $"The host '{host}' does not resolve to an address: {e.Message} Check its name, or the node's -HostName.", host, e)
                : new BackupException(ErrorIds.HostNotReached, ErrorKind.DeviceError, $"No session could be opened to '{host}': {e.Message} Check that its sshd has PowerShell's subsystem, and the user's key.", host, e);
        }
    }

    /// <summary>Asked only after ssh has failed: what its own configuration calls a host need not be an address's name.</summary>
    private static bool IsUnknown(string host)
    {
        try
        {
            return System.Net.Dns.GetHostAddresses(host).Length == 0;
        }
        catch (Exception e) when (e is System.Net.Sockets.SocketException or ArgumentException)
        {
            return true;
        }
    }

    public void Dispose() => _opened.ForEach(opened => opened.Runspace.Dispose());
}
