using NasBackup.Files;

namespace NasBackup.Sets;

/// <summary>What warnings call the kinds of what could not be kept.</summary>
internal static class LossNames
{
    public static IReadOnlyList<(MetadataLoss Kind, string Name)> All { get; } =
    [
        (MetadataLoss.Owner, SetWarnings.OwnerNotKept),
        (MetadataLoss.Mode, SetWarnings.ModeNotKept),
        (MetadataLoss.Times, SetWarnings.TimesNotKept),
        (MetadataLoss.Attributes, SetWarnings.AttributesNotKept),
        (MetadataLoss.Acl, SetWarnings.AclNotKept),
        (MetadataLoss.Node, SetWarnings.NodeNotKept),
    ];
}
