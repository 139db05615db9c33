using System.Management.Automation;

namespace NasBackup.Cmdlets.Parameters;

/// <summary>Lets a parameter take a plan as an object, as the remains of one after remoting, or as an id.</summary>
[AttributeUsage(AttributeTargets.Property | AttributeTargets.Field)]
public sealed class PlanTransformationAttribute : ArgumentTransformationAttribute
{
    /// <inheritdoc/>
    public override object Transform(EngineIntrinsics engineIntrinsics, object inputData)
        => PlanReference.From(inputData)
            ?? throw new ArgumentTransformationMetadataException($"'{inputData}' is neither a plan nor a plan's id.");
}
