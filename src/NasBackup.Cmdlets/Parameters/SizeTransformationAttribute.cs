using System.Management.Automation;

namespace NasBackup.Cmdlets.Parameters;

/// <summary>Lets a parameter take bytes as a number or as text with a unit (512KB, 1.5GiB).</summary>
[AttributeUsage(AttributeTargets.Property | AttributeTargets.Field)]
public sealed class SizeTransformationAttribute : ArgumentTransformationAttribute
{
    /// <summary>The fewest bytes that make sense.</summary>
    public long Minimum { get; set; }

    /// <inheritdoc/>
    public override object? Transform(EngineIntrinsics engineIntrinsics, object? inputData)
    {
        object? plain = inputData is PSObject wrapped ? wrapped.BaseObject : inputData;
        if (plain is null or "")
        {
            // A piped object, or a line of a CSV file, that has the property but no value.
            return null;
        }

        long? bytes = plain switch
        {
            string text => SizeText.Parse(text),
            IConvertible number when Numbers.IsNumber(number) => SizeText.FromBytes(Numbers.ToDouble(number)),
            _ => null,
        };
        return bytes >= Minimum
            ? bytes
            : throw new ArgumentTransformationMetadataException(
                $"'{inputData}' is not a size of {Minimum} bytes or more. Give bytes, or a number with KB, MB, GB, TB (or KiB, MiB, GiB, TiB).");
    }
}
