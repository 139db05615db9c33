using NasBackup.Jobs;

namespace NasBackup.Cmdlets.Jobs;

/// <summary>How a plan is named to a job: by share and id, whatever object the caller had.</summary>
internal static class JobParameters
{
    public static IReadOnlyDictionary<string, object> Of(BackupCluster cluster, string planId, params (string Name, object Value)[] more)
    {
        var parameters = new Dictionary<string, object>(StringComparer.OrdinalIgnoreCase) { ["Share"] = cluster.SharePath, ["PlanId"] = planId };
        foreach ((string name, object value) in more)
        {
            parameters[name] = value;
        }

        return parameters;
    }
}
