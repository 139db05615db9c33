namespace NasBackup.Jobs;

/// <summary>Another plans, or has planned, or has the part that this node was scanning for the plan.</summary>
internal sealed class PlanningLostException(string message) : Exception(message);
