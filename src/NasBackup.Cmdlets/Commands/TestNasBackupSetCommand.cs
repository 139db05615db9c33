using System.Management.Automation;
using NasBackup.Cmdlets.Parameters;
using NasBackup.Cmdlets.Pipeline;
using NasBackup.Sets;

namespace NasBackup.Cmdlets.Commands;

/// <summary>
/// Reads sets back and compares them with the hashes of their manifests. Each item that is damaged, missing or extra is an
/// error of its own; what is damaged is noted beside the set and never a base of an incremental backup again.
/// </summary>
[Cmdlet(VerbsDiagnostic.Test, "NasBackupSet", DefaultParameterSetName = FullSet)]
[OutputType(typeof(VerifyResult))]
public sealed class TestNasBackupSetCommand : SetCmdlet
{
    private const string FullSet = "Full";
    private const string QuickSet = "Quick";
    private const string SampleSet = "Sample";

    /// <summary>Compares names, kinds, sizes and times only.</summary>
    [Parameter(Mandatory = true, ParameterSetName = QuickSet)]
    public SwitchParameter Quick { get; set; }

    /// <summary>Reads a random part of the entries only (5%), another one each time; names, sizes and times of all are compared.</summary>
    [Parameter(Mandatory = true, ParameterSetName = SampleSet)]
    [FractionTransformation]
    public double Sample { get; set; }

    /// <summary>Entries compared at once; from the number of cores where not given.</summary>
    [Parameter]
    [ValidateRange(1, 1024)]
    public int Workers { get; set; }

    private VerifyMode Mode => ParameterSetName switch
    {
        QuickSet when Quick => VerifyMode.Quick,
        SampleSet => VerifyMode.Sample,
        _ => VerifyMode.Full,
    };

    /// <inheritdoc/>
    protected override void Process() => ForEachSet(set =>
    {
        if (set.Status is SetStatus.Unfinished && (SetId.Length == 0 || Array.Exists(SetId, reference => reference.IsPattern)))
        {
            WriteVerbose($"The set {set.SetId} is unfinished; it is not verified.");
            return;
        }

        WriteObject(RunEngine($"Verifying {set.SetId}", reports => OpenDevice(set.Device).Verify(
            set.SetId,
            new VerifyOptions
            {
                Mode = Mode,
                Sample = ParameterSetName == SampleSet ? Sample : 1,
                Workers = Workers,
                Found = item => reports.Error(item.ErrorId, item.ToString(), item.Path),
                Progress = reports.Progress,
            },
            reports.Stopped)));
    });
}
