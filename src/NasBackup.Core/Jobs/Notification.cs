using System.Diagnostics;
using System.Globalization;
using NasBackup.Coordination;

namespace NasBackup.Jobs;

/// <summary>Starts the notification command of the node's settings when this node has completed a backup (F18).</summary>
internal static class Notification
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    /// <summary>Waits for the command's end, half a minute at most. A command that fails is a warning: the backup is complete.</summary>
    public static void Send(NodeSettings settings, string planId, CompletionDocument completion, Action<string> warn)
    {
        if (settings.NotificationCommand is not { Count: > 0 } command)
        {
            return;
        }

        string program = command[0];
        try
        {
            var start = new ProcessStartInfo(program, command.Skip(1)) { UseShellExecute = false };
            start.Environment["NASBACKUP_PLAN"] = planId;
            start.Environment["NASBACKUP_STATUS"] = completion.Status.ToString();
            start.Environment["NASBACKUP_FAILED_NODES"] = string.Join(',', completion.FailedNodes);
            start.Environment["NASBACKUP_FAILED_ENTRIES"] = completion.FailedEntries.ToString(CultureInfo.InvariantCulture);
            using Process process = Process.Start(start)!;
            if (!process.WaitForExit(Patience))
            {
                warn($"{ErrorIds.NotificationFailed}: '{program}' has not ended after {Patience.TotalSeconds} s; it goes on by itself.");
            }
            else if (process.ExitCode != 0)
            {
                warn($"{ErrorIds.NotificationFailed}: '{program}' ended with exit code {process.ExitCode}.");
            }
        }
        catch (System.ComponentModel.Win32Exception e)
        {
            warn($"{ErrorIds.NotificationFailed}: '{program}' could not be started: {e.Message}. Check notificationCommand in the node's settings.");
        }
    }
}
