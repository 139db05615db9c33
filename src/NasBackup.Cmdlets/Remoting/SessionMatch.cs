using System.Management.Automation.Runspaces;

namespace NasBackup.Cmdlets.Remoting;

/// <summary>A node, and the session to the machine that it runs on.</summary>
/// <param name="Node">The node's name.</param>
/// <param name="Session">The session.</param>
internal sealed record NodeSession(string Node, PSSession Session);

/// <summary>Which session leads to which node: by the host name that the node is registered with, or the node's own name; what is left
/// in the order of the nodes.</summary>
internal static class SessionMatch
{
    /// <summary>Each session with its node. Sessions that no node is left for are nodes of their own, called by their computer.</summary>
    /// <param name="sessions">In the order given.</param>
    /// <param name="nodes">In the order given, or all that are registered.</param>
    /// <param name="namesOnly">Whether only these nodes may be used: then sessions that are left are not.</param>
    public static IReadOnlyList<NodeSession> Pair(IReadOnlyList<PSSession> sessions, IReadOnlyList<Node> nodes, bool namesOnly)
    {
        var found = new Node?[sessions.Count];
        var left = new List<Node>(nodes);
        foreach (Func<Node, string> name in (Func<Node, string>[])[node => HostOf(node.HostName), node => node.Name])
        {
            for (int i = 0; i < sessions.Count; i++)
            {
                if (found[i] is null && left.Find(node => IsSameHost(name(node), sessions[i].ComputerName)) is { } match)
                {
                    found[i] = match;
                    left.Remove(match);
                }
            }
        }

        var pairs = new List<NodeSession>();
        for (int i = 0; i < sessions.Count; i++)
        {
            if ((found[i] ?? left.FirstOrDefault()) is { } node)
            {
                left.Remove(node);
                pairs.Add(new NodeSession(node.Name, sessions[i]));
            }
            else if (!namesOnly)
            {
                pairs.Add(new NodeSession(sessions[i].ComputerName.Split('.')[0], sessions[i]));
            }
        }

        return pairs;
    }

    /// <summary>[user@]host[:port] without user and port.</summary>
    public static string HostOf(string? target)
    {
        string host = target?[(target.IndexOf('@', StringComparison.Ordinal) + 1)..] ?? "";
        int colon = host.LastIndexOf(':');
        return colon > 0 && host.IndexOf(':', StringComparison.Ordinal) == colon ? host[..colon] : host;
    }

    private static bool IsSameHost(string name, string computer)
        => name.Length > 0
            && (name.Equals(computer, StringComparison.OrdinalIgnoreCase) || name.Equals(computer.Split('.')[0], StringComparison.OrdinalIgnoreCase));
}
