using System.Management.Automation;

namespace NasBackup.Cmdlets.Parameters;

/// <summary>Which plan is meant: its id and, where it came from an object, its share.</summary>
/// <param name="Id">The plan's id, not checked yet.</param>
/// <param name="Share">The share as the object names it, or null.</param>
public sealed record PlanReference(string Id, string? Share)
{
    /// <summary>
    /// Reads an id from text, or from the properties of an object: a plan, a result, a counter, or what is left of
    /// one of them after remoting. Null where there is none.
    /// </summary>
    internal static PlanReference? From(object? value)
    {
        object? plain = value is PSObject wrapped ? wrapped.BaseObject : value;
        switch (plain)
        {
            case null:
                return null;
            case PlanReference reference:
                return reference;
            case string id:
                return new PlanReference(id, Share: null);
            case BackupPlan plan:
                return new PlanReference(plan.Id, plan.Share);
            default:
                var properties = PSObject.AsPSObject(value).Properties;
                string? planId = Text("PlanId") ?? Text("Id");
                return planId is null ? null : new PlanReference(planId, Text("Share"));

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
