using NasBackup.Coordination;
using NasBackup.Files;
using NasBackup.Planning;
using NasBackup.Transfer;

namespace NasBackup.Jobs;

/// <summary>
/// What keeps a node's word: data durable, then journal durable, then counter (promise 2), at least every second and every
/// quarter of the failure timeout; and the record that others watch. Workers add what they have done, and ask whether they
/// may go on.
/// </summary>
internal sealed class NodeHeart : ITransferControl, IDisposable
{
    /// <summary>A checkpoint comes early when this much waits for it, so that a crash costs no more.</summary>
    private const int MostPending = 4096;
    private const long MostPendingBytes = 512 * 1024 * 1024;

    private static readonly TimeSpan Step = TimeSpan.FromMilliseconds(25);

    private readonly PlanFolder _folder;
    private readonly Identity _me;
    private readonly RequestDocument _request;
    private readonly INodeRuntime _runtime;
    private readonly RecordKeeper _record;
    private readonly CancellationToken _cancellation;
    private readonly Lock _gate = new();
    private readonly Lock _checkpointGate = new();
    private readonly HashSet<FilePath> _folders = [];
    private List<JournalEntry> _pending = [];
    private long _pendingBytes;
    private JournalWriter? _journal;
    private AssignmentView? _assignment;
    private SetFolder? _set;
    private long _entriesLeft;
    private long _bytesLeft;
    private long _bytesMoved;
    private long _progress;
    private long _lastCount;
    private volatile bool _lost;
    private double _workSeconds;
    private long _began;
    private (long Time, long Bytes, long Entries) _sampled;

    // Workers ask it before each entry and after each chunk.
    private long _lastCheckpoint;

    public NodeHeart(PlanFolder folder, Identity me, RequestDocument request, CancellationToken cancellation)
    {
        _folder = folder;
        _me = me;
        _request = request;
        _runtime = folder.Share.Runtime;
        _cancellation = cancellation;
        _record = new RecordKeeper(folder, me);
        _lastCheckpoint = _runtime.Time.GetTimestamp();
    }

    /// <summary>What the node does, but for waiting, which <see cref="Availability"/> knows.</summary>
    public NodeState State { get; set; } = NodeState.Idle;

    public Availability? Availability { get; set; }

    public bool TakesWork { get; init; } = true;

    /// <summary>What waits behind the present assignment: the node owns it, and others count it as its backlog.</summary>
    public Func<IEnumerable<AssignmentView>> Queue { get; set; } = () => [];

    public string? CurrentFile { get; set; }

    public string? Problem { get; set; }

    public bool LeftByStop { get; set; }

    /// <summary>An error that stops the node, found while checkpointing.</summary>
    public NodeStoppedException? Failure { get; private set; }

    /// <summary>Whether the assignment in hand was closed by another.</summary>
    public bool HasLost => _lost;

    /// <summary>What the cost model of the next plan learns from.</summary>
    public CostFit Fit { get; } = new();

    public long EntriesDone { get; private set; }

    public long BytesDone { get; private set; }

    public double Rate => _record.Rate;

    /// <summary>Entries and bytes that the assignment in hand has left.</summary>
    public (long Entries, long Bytes) Left
    {
        get
        {
            lock (_gate)
            {
                return _assignment is null ? (0, 0) : (_entriesLeft, _bytesLeft);
            }
        }
    }

    /// <summary>Seconds in which it had work.</summary>
    public double WorkSeconds => _workSeconds + (_assignment is null ? 0 : _runtime.Time.GetElapsedTime(_began).TotalSeconds);

    public bool IsStrict => _request.Durability is Durability.Strict;

    /// <summary>How long a checkpoint may be away: a second, and a quarter of the failure timeout.</summary>
    private TimeSpan Interval => TimeSpan.FromSeconds(Math.Min(1, _request.FailureTimeoutSeconds / 4));

    /// <summary>Runs until told to end; on a thread of its own.</summary>
    public void Beat(Func<bool> isOver)
    {
        long last = _runtime.Time.GetTimestamp();
        while (!isOver())
        {
            bool isFull;
            lock (_gate)
            {
                isFull = _pending.Count >= MostPending || _pendingBytes >= MostPendingBytes;
            }

            if (isFull || _runtime.Time.GetElapsedTime(last) >= Interval)
            {
                last = _runtime.Time.GetTimestamp();
                TryCheckpoint();
            }

            _runtime.Sleep(Step, CancellationToken.None);
        }
    }

    /// <summary>Begins an assignment: its journal, its counter.</summary>
    public void Begin(AssignmentView assignment, SetFolder set)
    {
        var journal = new JournalWriter(_folder.Share.Tree, _folder.Journal(assignment.Id));
        try
        {
            journal.Reserve(assignment.Document.Entries);
        }
        catch (FileSystemException e) when (e.IsDeviceWide)
        {
            journal.Dispose();
            throw ShareFull(e);
        }

        lock (_gate)
        {
            (_assignment, _journal, _set, _lost) = (assignment, journal, set, false);
            (_entriesLeft, _bytesLeft) = (assignment.Document.Entries, assignment.Document.Bytes);
            State = NodeState.Working;
            _began = _runtime.Time.GetTimestamp();
        }
    }

    /// <summary>Ends the assignment in hand: a last checkpoint, and what the journal holds then.</summary>
    public FrozenJournal End(bool withCheckpoint)
    {
        try
        {
            while (withCheckpoint && !_lost && !TryCheckpoint())
            {
                if (Failure is { } failure)
                {
                    throw failure;
                }

                _runtime.Sleep(TimeSpan.FromMilliseconds(200), _cancellation);
                _cancellation.ThrowIfCancellationRequested();
            }

            return _journal!.Durable;
        }
        finally
        {
            lock (_checkpointGate)
            lock (_gate)
            {
                _pending = [];
                _pendingBytes = 0;
                _journal?.Dispose();
                _workSeconds = WorkSeconds;
                (_assignment, _journal) = (null, null);
                State = NodeState.Idle;
                CurrentFile = null;
            }
        }
    }

    /// <summary>An entry is done, or has failed; it counts with the next checkpoint.</summary>
    public void Add(in JournalEntry entry)
    {
        lock (_gate)
        {
            _pending.Add(entry);
            _pendingBytes += entry.Size;
            Interlocked.Increment(ref _progress);
        }
    }

    public void Moved(int bytes, TimeSpan pause)
    {
        Interlocked.Add(ref _bytesMoved, bytes);
        ThrowIfNotMine();
        if (pause > TimeSpan.Zero)
        {
            _runtime.Sleep(pause, _cancellation);
        }
    }

    public void NoteFolder(FilePath folder)
    {
        if (_set is { } set && !set.Tree.SyncsAsOne)
        {
            lock (_gate)
            {
                _folders.Add(folder);
            }
        }
    }

    /// <summary>Work that is not entries (scanning, finalising) makes the sequence rise too, where its count has changed.</summary>
    public void NoteProgress(long count)
    {
        if (Interlocked.Exchange(ref _lastCount, count) != count)
        {
            Interlocked.Increment(ref _progress);
        }
    }

    /// <summary>The node cannot go on; workers and the main thread find out at their next step.</summary>
    public void Fail(NodeStoppedException failure) => Failure ??= failure;

    public void ThrowIfNotMine()
    {
        // A node that could not checkpoint for the failure timeout may have been taken over: it stops writing until the
        // heart has read what was decided.
        while (_runtime.Time.GetElapsedTime(Volatile.Read(ref _lastCheckpoint)) > _request.FailureTimeout && !_lost && Failure is null)
        {
            _cancellation.ThrowIfCancellationRequested();
            _runtime.Sleep(Step, _cancellation);
        }

        _cancellation.ThrowIfCancellationRequested();
        if (_lost || Failure is not null)
        {
            throw new OperationCanceledException("the assignment is another's now");
        }
    }

    /// <summary>Tells others where to look.</summary>
    public void Publish(SlotChainNews news)
    {
        _record.AddNews(news);
        TryCheckpoint();
    }

    /// <summary>A checkpoint and a record.</summary>
    /// <returns>False where it could not be done; nothing is lost, it is tried again.</returns>
    public bool TryCheckpoint()
    {
        lock (_checkpointGate)
        {
            try
            {
                if (_runtime.Time.GetElapsedTime(_lastCheckpoint) > _request.FailureTimeout && _assignment is { } mine)
                {
                    mine.Slots.Refresh();
                    _lost = mine.Terminal is { } terminal && terminal.Incarnation != _me.Incarnation;
                }

                // The watchman may have read it meanwhile.
                _lost |= _assignment?.Terminal is { } decided && decided.Incarnation != _me.Incarnation;
                SampleCost();
                Checkpoint();
                WriteRecord();
                Volatile.Write(ref _lastCheckpoint, _runtime.Time.GetTimestamp());
                return true;
            }
            catch (FileSystemException e) when (e.IsDeviceWide)
            {
                Failure ??= ShareFull(e);
                return false;
            }
            catch (FileSystemException)
            {
                return false;
            }
            catch (NodeStoppedException e)
            {
                Failure ??= e;
                return false;
            }
        }
    }

    public void Dispose() => _record.Dispose();

    /// <summary>What the time since the last sample went into, for the cost model.</summary>
    private void SampleCost()
    {
        long now = _runtime.Time.GetTimestamp();
        long moved = Interlocked.Read(ref _bytesMoved);
        long entries;
        lock (_gate)
        {
            entries = EntriesDone + _pending.Count;
        }

        if (_assignment is not null && Availability is not { IsWaiting: true })
        {
            Fit.Add(_runtime.Time.GetElapsedTime(Math.Max(_sampled.Time, _began), now).TotalSeconds, moved - _sampled.Bytes, entries - _sampled.Entries);
        }

        _sampled = (now, moved, entries);
    }

    private void Checkpoint()
    {
        List<JournalEntry> batch;
        FilePath[] folders;
        JournalWriter? journal = _journal;
        if (journal is null || _lost)
        {
            return;
        }

        // What an earlier checkpoint could not write comes first; until then the new batch waits.
        journal.Append([]);
        lock (_gate)
        {
            (batch, _pending, _pendingBytes) = (_pending, [], 0);
            folders = [.. _folders];
            _folders.Clear();
        }

        if (batch.Count > 0 && IsStrict)
        {
            batch = MakeDurable(batch, folders);
        }

        // From here on the journal keeps the batch, whatever happens to the share.
        long bytes = batch.Sum(entry => entry.Size);
        lock (_gate)
        {
            _entriesLeft -= batch.Count;
            _bytesLeft = Math.Max(0, _bytesLeft - bytes);
            EntriesDone += batch.Count(entry => !entry.IsFailed);
            BytesDone += bytes;
        }

        journal.Append(batch);
    }

    private List<JournalEntry> MakeDurable(List<JournalEntry> batch, FilePath[] folders)
    {
        IFileTree tree = _set!.Tree;
        try
        {
            if (tree.SyncsAsOne)
            {
                tree.SyncAll();
            }
            else
            {
                foreach (FilePath folder in folders)
                {
                    tree.SyncDirectory(folder);
                }
            }

            if (tree.IsStillInPlace())
            {
                return batch;
            }
        }
        catch (FileSystemException e) when (e.IsDeviceWide)
        {
            throw new NodeStoppedException(
                ErrorIds.DeviceFull, $"{e.Message}. Make room on '{_set.DevicePath}', then resume with Start-NasNodeBackup.", e);
        }
        catch (FileSystemException)
        {
            // The device went away under the batch; what of it is there nobody knows.
        }

        return [.. batch.Select(entry => entry.IsFailed ? entry : new JournalEntry
        {
            Ordinal = entry.Ordinal,
            ErrorId = ErrorIds.FileNotWritten,
            Problem = $"the device '{_set.DevicePath}' went away before the copy was durable",
        })];
    }

    private void WriteRecord()
    {
        RecordContent content;
        lock (_gate)
        {
            var counters = new List<CounterDocument>();
            if (_assignment is { } mine)
            {
                counters.Add(new CounterDocument(mine.Id, _entriesLeft, _bytesLeft));
            }

            counters.AddRange(Queue().Where(waiting => waiting.Id != _assignment?.Id)
                .Select(waiting => new CounterDocument(waiting.Id, waiting.Document.Entries, waiting.Document.Bytes)));
            NodeState state = Availability is { IsWaiting: true } && State is not NodeState.Left ? NodeState.WaitingForFailover : State;
            content = new RecordContent(
                state, counters, EntriesDone, BytesDone, Interlocked.Read(ref _bytesMoved), _progress, WorkSeconds, CurrentFile, Problem, LeftByStop);
        }

        _record.Write(content, TakesWork);
    }

    private NodeStoppedException ShareFull(FileSystemException e) => new(
        ErrorIds.ShareFull, $"{e.Message}. Make room on the share '{_folder.Share.Path}' (or make it writable), then resume with Start-NasNodeBackup.", e);
}
