using System.Management.Automation;

namespace NasBackup.Cmdlets.Parameters;

/// <summary>Lets a parameter take a plan as an object, as the remains of one after remoting, or as an id.</summary>
[AttributeUsage(AttributeTargets.Property | AttributeTargets.Field)]
public sealed class PlanTransformationAttribute : ArgumentTransformationAttribute
{
    /// <inheritdoc/>
    public override object Transform(EngineIntrinsics engineIntrinsics, object inputData)
        // What names no plan stays as it is: then the shell tries the object's properties and other parameters.
        => PlanReference.From(inputData) ?? inputData;
}
