using System.Text;

namespace NasBackup.Cli.Output;

/// <summary>
/// The process's three streams. All text leaves through here, so that lines never mix and the live progress
/// (<see cref="Overlay"/>) is out of the way while something is printed. Safe for use from any thread.
/// </summary>
internal sealed class Terminal : IDisposable
{
    private const int WidthWhereUnknown = 120;

    private readonly Lock gate = new();
    private readonly StreamWriter output;
    private readonly StreamWriter error;
    private bool closed;
    private bool isMidLine;

    public Terminal()
    {
        var utf8 = new UTF8Encoding(encoderShouldEmitUTF8Identifier: false);
        output = new StreamWriter(Console.OpenStandardOutput(), utf8) { AutoFlush = true };
        error = new StreamWriter(Console.OpenStandardError(), utf8) { AutoFlush = true };
    }

    /// <summary>Raised once, when whoever read stdout has gone. Later output is dropped.</summary>
    public event EventHandler? OutputClosed;

    public bool OutputIsTerminal { get; } = !Console.IsOutputRedirected;

    public bool ErrorIsTerminal { get; } = !Console.IsErrorRedirected;

    /// <summary>Whether there is somebody who can be asked.</summary>
    public bool IsInteractive => ErrorIsTerminal && !Console.IsInputRedirected;

    /// <summary>Whether escape sequences are understood and wanted (https://no-color.org).</summary>
    public static bool AllowsColour { get; } =
        string.IsNullOrEmpty(Environment.GetEnvironmentVariable("NO_COLOR")) && !IsDumb;

    /// <summary>A terminal that cannot move its cursor.</summary>
    public static bool IsDumb => Environment.GetEnvironmentVariable("TERM") == "dumb";

    /// <summary>Characters in a line of stdout; <c>COLUMNS</c>, or 120, where it is no terminal.</summary>
    public int Width
    {
        get
        {
            if (int.TryParse(Environment.GetEnvironmentVariable("COLUMNS"), out var columns) && columns > 0)
            {
                return columns;
            }

            return OutputIsTerminal && Console.WindowWidth is > 0 and var width ? width : WidthWhereUnknown;
        }
    }

    /// <summary>What is drawn below all text, if anything.</summary>
    public IOverlay? Overlay { get; set; }

    /// <summary>Writes to stdout at once.</summary>
    public void Write(string text)
    {
        lock (gate)
        {
            if (closed)
            {
                return;
            }

            if (OutputIsTerminal)
            {
                MakeRoom(text);
            }

            if (!BrokenPipe.IsOutputBroken())
            {
                output.Write(text);
                return;
            }

            closed = true;
        }

        OutputClosed?.Invoke(this, EventArgs.Empty);
    }

    /// <summary>Writes to stderr at once.</summary>
    public void WriteError(string text)
    {
        lock (gate)
        {
            if (ErrorIsTerminal)
            {
                MakeRoom(text);
            }

            error.Write(text);
        }
    }

    /// <summary>Draws the overlay anew, unless there is none or a line of text is still unfinished.</summary>
    public void DrawOverlay()
    {
        lock (gate)
        {
            if (!isMidLine && Overlay is { } overlay)
            {
                error.Write(overlay.Clear() + overlay.Draw());
            }
        }
    }

    /// <summary>Runs something that talks to the person at the terminal, with nothing drawn over it meanwhile.</summary>
    public T WithoutOverlay<T>(Func<T> talk)
    {
        IOverlay? hidden;
        lock (gate)
        {
            ClearOverlay();
            (hidden, Overlay) = (Overlay, null);
        }

        try
        {
            return talk();
        }
        finally
        {
            Overlay = hidden;
            isMidLine = false; // the answer ended the line
        }
    }

    public void Dispose()
    {
        lock (gate)
        {
            ClearOverlay();
            Overlay = null;
            output.Dispose();
            error.Dispose();
        }
    }

    private void MakeRoom(string text)
    {
        ClearOverlay();
        isMidLine = !text.EndsWith('\n');
    }

    private void ClearOverlay()
    {
        if (Overlay?.Clear() is { Length: > 0 } sequence)
        {
            error.Write(sequence);
        }
    }
}

/// <summary>Lines at the foot of the terminal. Called under the terminal's lock, never from two threads at once.</summary>
internal interface IOverlay
{
    /// <summary>The sequence that removes what was drawn last; empty where nothing stands.</summary>
    string Clear();

    /// <summary>The lines as they should stand now, each ended, with the sequences that colour them.</summary>
    string Draw();
}
