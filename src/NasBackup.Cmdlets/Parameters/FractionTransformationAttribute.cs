using System.Globalization;
using System.Management.Automation;

namespace NasBackup.Cmdlets.Parameters;

/// <summary>Lets a parameter take a part of the whole as per cent (5%) or as a fraction (0.05).</summary>
[AttributeUsage(AttributeTargets.Property | AttributeTargets.Field)]
public sealed class FractionTransformationAttribute : ArgumentTransformationAttribute
{
    /// <inheritdoc/>
    public override object Transform(EngineIntrinsics engineIntrinsics, object inputData)
    {
        object plain = inputData is PSObject wrapped ? wrapped.BaseObject : inputData;
        double? fraction = plain switch
        {
            string text when text.Trim().EndsWith('%') && double.TryParse(text.Trim()[..^1], NumberStyles.Float, CultureInfo.InvariantCulture, out double percent) => percent / 100,
            string text when double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out double number) => number,
            IConvertible number when Numbers.IsNumber(number) => Numbers.ToDouble(number),
            _ => null,
        };
        return fraction is > 0 and <= 1
            ? fraction.Value
            : throw new ArgumentTransformationMetadataException($"'{inputData}' is not a part of the whole. Give per cent (5%), or a fraction above 0 and up to 1 (0.05).");
    }
}
