using NasBackup.Coordination;
using NasBackup.Files;
using NasBackup.Planning;
using NasBackup.Sets;
using NasBackup.Transfer;

namespace NasBackup.Jobs;

/// <summary>
/// One node's part in a plan until the plan is complete (F9–F17): it plans where nobody has yet, works off what it owns,
/// takes over what others leave, and finalises when nobody else does. Every node runs this; none is special.
/// </summary>
internal sealed class NodeRun
{
    private static readonly TimeSpan IdleStep = TimeSpan.FromMilliseconds(100);

    private readonly PlanFolder _folder;
    private readonly RequestDocument _request;
    private readonly NodeEnvironment _environment;
    private readonly NodeRunOptions _options;
    private readonly CancellationTokenSource _leave;
    private readonly CancellationToken _cancellation;
    private readonly CancellationTokenSource _over = new();
    private readonly Identity _me;
    private readonly INodeRuntime _runtime;
    private readonly FailureDetector _detector;
    private readonly NodeHeart _heart;
    private readonly Action<string> _verbose;

    public NodeRun(
        PlanFolder folder, RequestDocument request, string node, NodeEnvironment environment, NodeRunOptions options, CancellationToken cancellation)
    {
        _folder = folder;
        _request = request;
        _environment = environment;
        _options = options;
        _leave = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        _cancellation = _leave.Token;
        _runtime = folder.Share.Runtime;
        _me = new Identity(node, folder.Share.Tokens.Next(8));
        _detector = new FailureDetector(folder, request.FailureTimeout);
        _heart = new NodeHeart(folder, _me, request, _cancellation);
        _verbose = text => options.Verbose?.Invoke($"{node}: {text}");
    }

    /// <summary>Runs until the plan is complete, or the node is told to leave.</summary>
    /// <exception cref="BackupException">The plan could not be made, or source or device are not those of the plan.</exception>
    public NodeBackupResult Run()
    {
        long start = _runtime.Time.GetTimestamp();
        new NameCheck(_folder, _me.Node, _request.FailureTimeout).ThrowIfInUse();
        _heart.TryCheckpoint();
        INodeThread beat = _runtime.Start($"{_me.Node} heart", () => _heart.Beat(() => _over.IsCancellationRequested));
        NodeOutcome outcome;
        try
        {
            outcome = RunToEnd();
            if (outcome.Completion is not null)
            {
                Leave(problem: null);
            }
        }
        catch (Exception e)
        {
            Leave(e.Message);
            throw;
        }
        finally
        {
            _over.Cancel();
            beat.Join();
            _heart.Dispose();
            _over.Dispose();
            _leave.Dispose();
        }

        NodeBackupResult result = outcome.ToResult(_me, _request, _heart, _runtime.Time.GetElapsedTime(start));
        _environment.Log(result, _heart);
        return result;
    }

    private NodeOutcome RunToEnd()
    {
        ClusterView? view = null;
        try
        {
            Resume();
            PlanDocument plan = new PlanningPhase(_folder, _request, _me, _environment, _detector, _heart, _options, _cancellation).Run();
            view = new ClusterView(_folder, plan);
            return WorkToEnd(plan, view);
        }
        catch (NodeStoppedException e)
        {
            Leave(e.Message);
            return new NodeOutcome(BackupStatus.Stopped, view, null, e.Message, e.ErrorId);
        }
        catch (OperationCanceledException)
        {
            _heart.LeftByStop = _folder.IsStopped;
            string reason = _folder.IsStopped ? "the job was stopped" : "the node was told to leave";
            Leave(reason);
            return new NodeOutcome(BackupStatus.Stopped, view, null, reason, null);
        }
    }

    /// <summary>A stopped plan goes on as soon as a node is started on it.</summary>
    private void Resume()
    {
        _folder.Control.Refresh();
        if (_folder.IsStopped)
        {
            _folder.Control.PublishNext(_me.Slot(_folder.Share, SlotKind.Resume), out int number);
            _heart.Publish(new SlotChainNews(_folder.Control.Name, number));
        }
    }

    private NodeOutcome WorkToEnd(PlanDocument plan, ClusterView view)
    {
        using var sources = new SourceSet(_request.Sources, plan.Identities, _environment.ToOwnPath, _environment.Open);
        using var set = new SetFolder(_request, _environment.ToOwnPath, _environment.Open);
        var availability = new Availability(
            sources, set, _runtime, _request.FailoverTimeout, text => _options.Warning?.Invoke($"{_me.Node}: {text}"), _cancellation);
        _heart.Availability = availability;
        _heart.Queue = () => view.Open.Where(assignment => assignment.Owner == _me.Incarnation);
        ProveDevice(set, availability, view);
        ProveSources(sources, view);

        FilePath[] bases = [.. _request.Sources.Zip(plan.Identities, SetPaths.DataBase)];
        var writer = new MirrorWriter(
            sources, set, bases, availability, new RateLimiter(_options.MaxBytesPerSecond, _runtime.Time), _heart);
        var closer = new AssignmentCloser(_folder, view, _me);
        var watchman = new Watchman(
            _folder, view, _me, _request.FailureTimeout, _detector, closer, _environment.CostOf, _heart.Publish, _verbose);
        INodeThread watch = _runtime.Start($"{_me.Node} watch", () => Watch(watchman));
        try
        {
            while (true)
            {
                ThrowIfLeaving();
                if (NextAssignment(view) is { } assignment)
                {
                    CopyAssignment(assignment, writer, closer, watchman, set, sources, availability);
                }
                else if (_folder.Completion.Last is { Kind: SlotKind.Completed } completed)
                {
                    return new NodeOutcome(BackupStatus.Completed, view, completed.Completion, null, null);
                }
                else if (view.AllClosed)
                {
                    new FinishingPhase(_folder, _request, plan, view, _me, _detector, _heart, set, availability, _cancellation).Step();
                }
                else
                {
                    _runtime.Sleep(IdleStep, _cancellation);
                }
            }
        }
        finally
        {
            _over.Cancel();
            watch.Join();
        }
    }

    private void Watch(Watchman watchman)
    {
        while (!_over.IsCancellationRequested && !_cancellation.IsCancellationRequested)
        {
            try
            {
                watchman.Round(_cancellation);
                if (_folder.IsStopped)
                {
                    _leave.Cancel();
                }
            }
            catch (Exception e) when (e is FileSystemException or BackupException)
            {
                // What could not be decided now is decided in a later round, here or elsewhere.
                _verbose($"A look at the other nodes failed: {e.Message}");
            }

            _options.Progress?.Invoke(Describe());
            _runtime.Sleep(_detector.Interval, _over.Token);
        }
    }

    /// <summary>The next of its own assignments, oldest first; a first list that is meant for it is claimed.</summary>
    private AssignmentView? NextAssignment(ClusterView view)
    {
        foreach (AssignmentView assignment in view.Open)
        {
            if (assignment.Owner == _me.Incarnation)
            {
                return assignment;
            }

            if (assignment.Owner is null && _me.Node.Equals(assignment.Node, StringComparison.OrdinalIgnoreCase))
            {
                view.Refresh(assignment);
                if (assignment.Owner is null && assignment.Terminal is null)
                {
                    SlotDocument slot = assignment.Slots.PublishNext(_me.Slot(_folder.Share, SlotKind.Claim), out int number);
                    view.Refresh(assignment);
                    if (slot.Incarnation == _me.Incarnation)
                    {
                        _heart.Publish(new SlotChainNews(assignment.Id, number));
                        return assignment;
                    }
                }
            }
        }

        return null;
    }

    private void CopyAssignment(
        AssignmentView assignment,
        MirrorWriter writer,
        AssignmentCloser closer,
        Watchman watchman,
        SetFolder set,
        SourceSet sources,
        Availability availability)
    {
        if (!assignment.IsFirst)
        {
            // The failed owner may have owned the disk; failover first has to give it to this node (F14).
            for (int source = 0; source < sources.Count; source++)
            {
                availability.WasAway(source);
            }
        }

        _heart.Begin(assignment, set);
        long start = _runtime.Time.GetTimestamp();
        (long entries, long bytes) = (_heart.EntriesDone, _heart.BytesDone);
        FrozenJournal journal = FrozenJournal.Empty;
        bool through = false;
        try
        {
            int workers = _options.Workers > 0 ? _options.Workers : Math.Clamp(Environment.ProcessorCount, 2, 8);
            new AssignmentWorkers(_folder, assignment, writer, _heart, workers).Run();
            through = true;
        }
        catch (OperationCanceledException) when (_heart.HasLost)
        {
            _verbose($"{assignment.Id} was taken over by {assignment.Terminal?.Node} while this node did not answer.");
        }
        finally
        {
            journal = _heart.End(withCheckpoint: !_heart.HasLost && _heart.Failure is null);
            _heart.Fit.Add(_runtime.Time.GetElapsedTime(start).TotalSeconds, _heart.BytesDone - bytes, _heart.EntriesDone - entries);
        }

        if (_heart.Failure is { } failure)
        {
            throw failure;
        }

        if (through && !_heart.HasLost)
        {
            Survivor self = new(_me.Node, _me.Incarnation, _environment.CostOf(_me.Node));
            (SlotDocument slot, int number) = closer.Finish(assignment, journal, watchman.Survivors(withSelf: false), self);
            if (slot.Incarnation == _me.Incarnation)
            {
                _heart.Publish(new SlotChainNews(assignment.Id, number));
            }
        }
    }

    private void ThrowIfLeaving()
    {
        if (_heart.Failure is { } failure)
        {
            throw failure;
        }

        if (_folder.IsStopped)
        {
            throw new OperationCanceledException("the job was stopped");
        }

        _cancellation.ThrowIfCancellationRequested();
    }

    private void ProveDevice(SetFolder set, Availability availability, ClusterView view)
    {
        if (set.Proves(out string? problem))
        {
            return;
        }

        view.Refresh();
        if (view.TakenOver.Count > 0)
        {
            // The cluster is failing over already; the device may come back.
            availability.DeviceWasAway();
            return;
        }

        throw new BackupException(
            ErrorIds.DeviceDiffers,
            ErrorKind.DeviceError,
            $"Node {_me.Node} does not see the device of plan {_folder.PlanId} at '{set.OwnPath}': {problem}. Mount it there, or give the node a path map (Set-NasNode -PathMap).",
            set.OwnPath);
    }

    private void ProveSources(SourceSet sources, ClusterView view)
    {
        for (int source = 0; source < sources.Count; source++)
        {
            // Where its owner has failed the source may be on its way; the work itself waits for it.
            if (!sources.Proves(source, out string? problem) && OwnerIsWell(source, view))
            {
                throw new BackupException(
                    ErrorIds.SourceDiffers,
                    ErrorKind.DeviceError,
                    $"Node {_me.Node} does not see the source of plan {_folder.PlanId} at '{sources.OwnPath(source)}': {problem}. Mount it there, or give the node a path map (Set-NasNode -PathMap).",
                    sources.OwnPath(source));
            }
        }
    }

    private bool OwnerIsWell(int source, ClusterView view)
    {
        if (_request.Sources[source].Owner is not { } owner)
        {
            return true;
        }

        view.Refresh();
        return !view.FailedNodes.Contains(owner, StringComparer.OrdinalIgnoreCase);
    }

    /// <summary>Says goodbye, so that the others need not wait; if that fails they find out by the timeout.</summary>
    private void Leave(string? problem)
    {
        _heart.Problem = problem;
        _heart.State = NodeState.Left;
        _heart.TryCheckpoint();
    }

    private NodeProgress Describe()
    {
        double rate = _heart.Rate;
        (long entries, long bytes) = _heart.Left;
        return new NodeProgress
        {
            Node = _me.Node,
            State = _heart.State.ToString(),
            Entries = _heart.EntriesDone + entries,
            EntriesDone = _heart.EntriesDone,
            Bytes = _heart.BytesDone + bytes,
            BytesDone = _heart.BytesDone,
            Rate = rate,
            TimeLeft = rate > 0 ? TimeSpan.FromSeconds(Math.Min(bytes / rate, TimeSpan.MaxValue.TotalSeconds / 2)) : null,
            CurrentFile = _heart.CurrentFile,
        };
    }
}
