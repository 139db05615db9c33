using System.Collections;
using System.Management.Automation;

namespace NasBackup.Cmdlets.Parameters;

/// <summary>Lets a parameter take sets as objects, as the remains of some after remoting, or as ids.</summary>
[AttributeUsage(AttributeTargets.Property | AttributeTargets.Field)]
public sealed class SetTransformationAttribute : ArgumentTransformationAttribute
{
    /// <inheritdoc/>
    public override object Transform(EngineIntrinsics engineIntrinsics, object inputData)
    {
        object? plain = inputData is PSObject wrapped ? wrapped.BaseObject : inputData;
        if (plain is IEnumerable several and not string and not IDictionary)
        {
            SetReference?[] all = [.. several.Cast<object?>().Select(SetReference.From)];
            return all.Contains(null) ? inputData : all;
        }

        // What names no set stays as it is: then the shell tries the object's properties and other parameters.
        return SetReference.From(inputData) is { } reference ? new[] { reference } : inputData;
    }
}
