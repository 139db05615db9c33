using System.Management.Automation;

namespace NasBackup.Cmdlets.Parameters;

/// <summary>Which set is meant: its id (or a pattern) and, where it came from an object, its device.</summary>
/// <param name="Id">The set's id or a pattern, not checked yet.</param>
/// <param name="Device">The device as the object names it, or null.</param>
public sealed record SetReference(string Id, string? Device)
{
    /// <summary>Whether several sets may be meant.</summary>
    internal bool IsPattern => WildcardPattern.ContainsWildcardCharacters(Id);

    /// <summary>Parts of a set: who pipes one of them does not mean the whole.</summary>
    private static readonly string[] Parts = [typeof(BackupItem).FullName!, typeof(DamagedItem).FullName!, typeof(RestoreItem).FullName!];

    /// <summary>
    /// Reads an id from text, or from the properties of an object: a set, a result, a plan, or what is left of one of
    /// them after remoting. Null where there is none.
    /// </summary>
    internal static SetReference? From(object? value)
    {
        object? plain = value is PSObject wrapped ? wrapped.BaseObject : value;
        switch (plain)
        {
            case null:
                return null;
            case SetReference reference:
                return reference;
            case string id:
                return new SetReference(id, Device: null);
            default:
                if (PSObject.AsPSObject(value).TypeNames.Any(type => Parts.Any(part => type.EndsWith(part, StringComparison.Ordinal))))
                {
                    return null;
                }

                var properties = PSObject.AsPSObject(value).Properties;
                string? setId = Text("SetId") ?? Text("PlanId") ?? Text("Id");
                return setId is null ? null : new SetReference(setId, Text("Device") ?? Text("Destination"));

                string? Text(string name) => properties[name]?.Value switch
                {
                    string text => text,
                    PSObject { BaseObject: string text } => text,
                    _ => null,
                };
        }
    }

    /// <inheritdoc/>
    public override string ToString() => Id;
}
