using System.Management.Automation.Host;
using NasBackup.Cli.Output;

namespace NasBackup.Cli.Hosting;

/// <summary>The size of the terminal, which the engine's formatting needs; everything else about a screen is left out.</summary>
internal sealed class RunnerRawUserInterface(Terminal terminal) : PSHostRawUserInterface
{
    private const int LinesWhereUnknown = 50;

    public override Size BufferSize
    {
        get => WindowSize;
        set => throw NotOurs();
    }

    public override Size WindowSize
    {
        get => new(terminal.Width, terminal.OutputIsTerminal ? Console.WindowHeight : LinesWhereUnknown);
        set => throw NotOurs();
    }

    public override Size MaxPhysicalWindowSize => WindowSize;

    public override Size MaxWindowSize => WindowSize;

    public override bool KeyAvailable => false;

    public override ConsoleColor ForegroundColor { get; set; } = ConsoleColor.Gray;

    public override ConsoleColor BackgroundColor { get; set; } = ConsoleColor.Black;

    public override Coordinates CursorPosition { get; set; }

    public override int CursorSize { get; set; }

    public override Coordinates WindowPosition { get; set; }

    public override string WindowTitle { get; set; } = "nasbackup";

    public override void FlushInputBuffer()
    {
    }

    public override KeyInfo ReadKey(ReadKeyOptions options) => throw NotOurs();

    public override BufferCell[,] GetBufferContents(Rectangle rectangle) => throw NotOurs();

    public override void SetBufferContents(Coordinates origin, BufferCell[,] contents) => throw NotOurs();

    public override void SetBufferContents(Rectangle rectangle, BufferCell fill) => throw NotOurs();

    public override void ScrollBufferContents(Rectangle source, Coordinates destination, Rectangle clip, BufferCell fill) =>
        throw NotOurs();

    private static HostException NotOurs() => new("nasbackup prints lines and has no screen to change.");
}
