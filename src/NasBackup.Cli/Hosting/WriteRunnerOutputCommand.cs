using System.Management.Automation;

namespace NasBackup.Cli.Hosting;

/// <summary>
/// The last or last but one cmdlet of every pipeline: sees each object as it is emitted, on the pipeline's thread. It is no part
/// of the session, so nobody can call it by name.
/// </summary>
[Cmdlet(VerbsCommunications.Write, "RunnerOutput")]
internal sealed class WriteRunnerOutputCommand : PSCmdlet
{
    /// <summary>Takes an object; whether the next cmdlet, which formats it as text, gets it as well.</summary>
    [Parameter(Mandatory = true)]
    public Func<PSObject, bool> Sink { get; set; } = null!;

    [Parameter(ValueFromPipeline = true)]
    public PSObject? InputObject { get; set; }

    public static CmdletInfo Info { get; } = new("Write-RunnerOutput", typeof(WriteRunnerOutputCommand));

    protected override void ProcessRecord()
    {
        if (InputObject is not null && Sink(InputObject))
        {
            WriteObject(InputObject);
        }
    }
}
