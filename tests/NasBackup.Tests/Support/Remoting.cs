using System.Management.Automation;

namespace NasBackup.Tests.Support;

/// <summary>What remoting does to objects, without a remote machine.</summary>
internal static class Remoting
{
    /// <summary>The object as it comes out at the other end, where the module's types file is not known.</summary>
    public static PSObject Cross(object value)
        // As deep as the types file asks remoting to go for the module's types.
        => (PSObject)PSSerializer.Deserialize(PSSerializer.Serialize(value, depth: 4));
}
