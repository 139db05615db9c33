namespace NasBackup.Cmdlets.Report;

/// <summary>How the page looks: light, dark and printed. Nothing is loaded from anywhere.</summary>
internal static class ReportStyle
{
    public const string Css = """
        :root { color-scheme: light dark; --back: #fff; --card: #f6f7f9; --text: #1d2430; --weak: #5b6573; --line: #d9dee5;
          --good: #1a7f37; --warn: #9a6700; --bad: #cf222e; --inside: #fff;
          --n0: #2f6fde; --n1: #c2410c; --n2: #0f766e; --n3: #9333ea; --n4: #a16207; --n5: #be185d; --n6: #4d7c0f; --n7: #475569; }
        @media (prefers-color-scheme: dark) { :root { --back: #12161c; --card: #1b2129; --text: #e6eaf0; --weak: #9aa5b4; --line: #333c48;
          --good: #4ac26b; --warn: #d4a72c; --bad: #ff7b72; --inside: #0b0e12;
          --n0: #6ea8fe; --n1: #fb923c; --n2: #2dd4bf; --n3: #c084fc; --n4: #facc15; --n5: #f472b6; --n6: #a3e635; --n7: #94a3b8; } }
        * { box-sizing: border-box; }
        body { margin: 0; background: var(--back); color: var(--text); font: 15px/1.5 system-ui, "Segoe UI", Roboto, "DejaVu Sans", sans-serif; }
        main { max-width: 1040px; margin: 0 auto; padding: 32px 24px 48px; }
        h1 { font-size: 26px; line-height: 1.25; margin: 0 0 4px; overflow-wrap: anywhere; }
        h2 { font-size: 18px; margin: 36px 0 10px; }
        p { margin: 0 0 8px; overflow-wrap: anywhere; }
        .note, footer { color: var(--weak); font-size: 13px; }
        footer { margin-top: 40px; border-top: 1px solid var(--line); padding-top: 12px; }
        .status { display: inline-block; padding: 1px 10px; border-radius: 999px; border: 1px solid currentColor; font-size: 14px; font-weight: 600; vertical-align: 3px; margin-left: 8px; white-space: nowrap; }
        .good { color: var(--good); } .warn { color: var(--warn); } .bad { color: var(--bad); }
        .totals { display: grid; grid-template-columns: repeat(auto-fit, minmax(140px, 1fr)); gap: 12px; margin: 20px 0 0; }
        .totals div { background: var(--card); border-radius: 8px; padding: 10px 14px; min-width: 0; }
        .totals dt { color: var(--weak); font-size: 13px; }
        .totals dd { margin: 0; font-size: 20px; font-weight: 600; overflow-wrap: anywhere; }
        svg { display: block; width: 100%; height: auto; }
        svg text { font: 12px system-ui, "Segoe UI", Roboto, "DejaVu Sans", sans-serif; fill: var(--text); }
        svg .axis { fill: var(--weak); font-size: 11px; } svg .end { text-anchor: end; } svg .middle { text-anchor: middle; }
        svg .inside { fill: var(--inside); font-size: 11px; font-weight: 600; }
        .grid { stroke: var(--line); stroke-width: 1; }
        .later { fill-opacity: .72; } .never { fill-opacity: .18; } .earlier { fill-opacity: .35; } .area { fill-opacity: .85; }
        .failed { stroke: var(--bad); stroke-width: 3; fill: none; stroke-linecap: round; }
        .takeover, .handover { fill: none; stroke-width: 1.5; stroke: var(--bad); } .handover { stroke: var(--weak); stroke-dasharray: 4 3; }
        svg .n0 { fill: var(--n0); } svg .n1 { fill: var(--n1); } svg .n2 { fill: var(--n2); } svg .n3 { fill: var(--n3); }
        svg .n4 { fill: var(--n4); } svg .n5 { fill: var(--n5); } svg .n6 { fill: var(--n6); } svg .n7 { fill: var(--n7); }
        .legend { display: flex; flex-wrap: wrap; gap: 4px 18px; margin: 6px 0 0; padding: 0; list-style: none; font-size: 13px; color: var(--weak); }
        .legend svg { display: inline-block; width: 12px; height: 12px; vertical-align: -1px; margin-right: 6px; }
        .scroll { overflow-x: auto; }
        table { border-collapse: collapse; width: 100%; font-size: 14px; }
        th, td { text-align: left; padding: 5px 10px 5px 0; border-bottom: 1px solid var(--line); vertical-align: top; }
        th { color: var(--weak); font-weight: 500; white-space: nowrap; } td.number, th.number { text-align: right; white-space: nowrap; padding-right: 18px; }
        td:first-child:not(.path) { white-space: nowrap; } td.path { overflow-wrap: anywhere; } tr.this td { font-weight: 600; }
        @media (max-width: 700px) { main { padding: 20px 14px; } .scroll > svg { min-width: 640px; } }
        @media print { :root { color-scheme: light; --back: #fff; --card: #f6f7f9; --text: #000; --weak: #444; --line: #ccc; --inside: #fff;
          --n0: #2f6fde; --n1: #c2410c; --n2: #0f766e; --n3: #9333ea; --n4: #a16207; --n5: #be185d; --n6: #4d7c0f; --n7: #475569; }
          * { print-color-adjust: exact; -webkit-print-color-adjust: exact; } main { max-width: none; padding: 0; }
          section, tr, .totals { break-inside: avoid; } h2 { break-after: avoid; } }
        """;
}
