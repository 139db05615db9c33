using System.Management.Automation;

namespace NasBackup.Cli.Output;

/// <summary>An error as the user sees it.</summary>
/// <param name="Command">Who reports it; empty where that is unknown.</param>
/// <param name="ErrorId">The stable id, by which scripts tell errors apart.</param>
/// <param name="Message">What happened and what to do.</param>
/// <param name="Target">What it happened to, if that is known.</param>
internal sealed record Problem(string Command, string ErrorId, string Message, object? Target)
{
    public static Problem From(ErrorRecord record)
    {
        var message = record.ErrorDetails?.Message is { Length: > 0 } details ? details : record.Exception.Message;
        if (record.ErrorDetails?.RecommendedAction is { Length: > 0 } advice)
        {
            message += " " + advice;
        }

        return new Problem(
            record.InvocationInfo?.MyCommand?.Name ?? "",
            record.FullyQualifiedErrorId.Split(',')[0],
            message,
            record.TargetObject);
    }
}
