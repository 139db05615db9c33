namespace NasBackup.Simulation.Checks;

/// <summary>The promises of docs/reliability.md, by number.</summary>
internal enum Promise
{
    /// <summary>Every entry of the plan is committed, or recorded as failed with its reason after another try, before the set
    /// is called complete.</summary>
    EveryEntryIsAccountedFor = 1,

    /// <summary>A counter never runs ahead of what is durable on the device; a crash costs what was done since the last checkpoint.</summary>
    CountersStayBehindStorage = 2,

    /// <summary>An assignment is closed exactly once, and a plan completed exactly once.</summary>
    DecidedOnce = 3,

    /// <summary>The set holds exactly the bytes whose hash the one valid journal record states, and nothing changes that later.</summary>
    BytesAsRecorded = 4,

    /// <summary>A node is held for failed only after an unbroken series of fresh reads without progress that spans the failure
    /// timeout; one that could not checkpoint for as long stops writing.</summary>
    OnlyFreshReadsAccuse = 5,

    /// <summary>One node that is left completes the plan; what is away is waited for.</summary>
    NobodyIsIndispensable = 6,

    /// <summary>Who moves work is not taken over, and who moves nothing is.</summary>
    ProgressMeansWork = 7,

    /// <summary>What cannot be done is said: which file, which node, why; the rest goes on.</summary>
    WhatFailsIsSaid = 8,
}

/// <summary>A promise that was broken.</summary>
internal sealed record Violation(Promise Promise, TimeSpan At, string What)
{
    public override string ToString() => $"Promise {(int)Promise} ({Promise}) broken at {At.TotalSeconds:F5} s: {What}";
}
