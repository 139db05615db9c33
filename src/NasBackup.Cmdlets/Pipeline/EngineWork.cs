using System.Management.Automation;
using System.Runtime.ExceptionServices;
using NasBackup.Cmdlets.Views;

namespace NasBackup.Cmdlets.Pipeline;

/// <summary>A blocking call of the engine on a thread of its own, while the pipeline's thread keeps writing.</summary>
internal static class EngineWork
{
    /// <summary>
    /// Returns what the call returns and throws what it throws. Where the pipeline is stopped, or a preference like
    /// -WarningAction Stop ends it, the engine is asked to leave and waited for, so that no node is left half alive.
    /// </summary>
    /// <param name="cmdlet">Whose streams are written.</param>
    /// <param name="activity">What the progress bars are about.</param>
    /// <param name="stop">Cancelled when the cmdlet is stopped.</param>
    /// <param name="call">The call.</param>
    public static T Run<T>(Cmdlet cmdlet, string activity, CancellationTokenSource stop, Func<EngineReports, T> call)
    {
        var reports = new EngineReports(new ProgressBars(activity), stop.Token);
        T? result = default;
        ExceptionDispatchInfo? failure = null;
        var engine = new Thread(() =>
        {
            try
            {
                result = call(reports);
            }
            catch (Exception e)
            {
                failure = ExceptionDispatchInfo.Capture(e);
            }
            finally
            {
                reports.End();
            }
        })
        {
            IsBackground = true,
            Name = "NasBackup engine",
        };
        engine.Start();
        try
        {
            reports.WriteAll(cmdlet);
        }
        catch
        {
            stop.Cancel();
            throw;
        }
        finally
        {
            engine.Join();
        }

        failure?.Throw();
        return result!;
    }
}
