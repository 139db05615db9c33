using NasBackup.Coordination;

namespace NasBackup.Transfer;

/// <summary>Does with each entry of a list what the plan is about: copies it, verifies it, restores it.</summary>
internal interface IEntryWriter
{
    /// <summary>Does it; what comes out is what the journal will say of it, a failure of the entry included. Called from many threads.</summary>
    /// <exception cref="NodeStoppedException">The node cannot go on.</exception>
    /// <exception cref="OperationCanceledException">The node leaves, or has lost the assignment.</exception>
    JournalEntry Write(in WorkItem work);
}
