using System.Management.Automation;

namespace NasBackup.Cmdlets.Parameters;

/// <summary>Lets a parameter take a duration as seconds (5), as text (5s, 10m, 2h, 1d) and as TimeSpan.</summary>
[AttributeUsage(AttributeTargets.Property | AttributeTargets.Field)]
public sealed class DurationTransformationAttribute : ArgumentTransformationAttribute
{
    /// <inheritdoc/>
    public override object Transform(EngineIntrinsics engineIntrinsics, object inputData)
    {
        object plain = inputData is PSObject wrapped ? wrapped.BaseObject : inputData;
        TimeSpan? duration = plain switch
        {
            TimeSpan given => given,
            string text => DurationText.Parse(text),
            IConvertible number when Numbers.IsNumber(number) => DurationText.FromSeconds(Numbers.ToDouble(number)),
            _ => null,
        };
        return duration is { } valid && valid >= TimeSpan.Zero
            ? valid
            : throw new ArgumentTransformationMetadataException($"'{inputData}' is not a duration. Give seconds (5), or 5s, 10m, 2h, 1d, or a TimeSpan.");
    }
}
