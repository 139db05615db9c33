using System.Management.Automation;

namespace NasBackup.Cli.Progress;

/// <summary>Shows how far the work is. Called from any thread, often; must not hold the work up.</summary>
internal interface IProgressView : IDisposable
{
    void Update(ProgressRecord record);
}

/// <summary>Shows nothing: with <c>--json</c>, stderr is for programs too.</summary>
internal sealed class NoProgress : IProgressView
{
    public void Update(ProgressRecord record)
    {
    }

    public void Dispose()
    {
    }
}
