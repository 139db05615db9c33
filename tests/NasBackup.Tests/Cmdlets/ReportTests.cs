using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Text.RegularExpressions;
using NasBackup.Cmdlets.Report;

namespace NasBackup.Tests.Cmdlets;

/// <summary>The report's page, also as a browser shows it.</summary>
public sealed class ReportTests : IDisposable
{
    private static readonly DateTime Start = new(2026, 1, 2, 3, 4, 5, DateTimeKind.Utc);

    // Left of what is drawn outside, upon each other or cut off: texts of the charts, cells of the tables, the page itself.
    private const string Look = """
        <script>
        const problems = [];
        const page = document.documentElement;
        if (page.scrollWidth > page.clientWidth) problems.push(`the page is ${page.scrollWidth} wide, not ${page.clientWidth}`);
        for (const svg of document.querySelectorAll('.scroll > svg')) {
          const frame = svg.getBoundingClientRect();
          const texts = [...svg.querySelectorAll('text')].map(text => [text.firstChild?.data ?? '', text.getBoundingClientRect()]);
          for (const [text, box] of texts) {
            if (box.left < frame.left - 1 || box.right > frame.right + 1 || box.top < frame.top - 1 || box.bottom > frame.bottom + 1) problems.push(`'${text}' is cut off`);
          }
          for (let i = 0; i < texts.length; i++) for (let j = i + 1; j < texts.length; j++) {
            const [a, b] = [texts[i][1], texts[j][1]];
            if (a.right > b.left + 1 && b.right > a.left + 1 && a.bottom > b.top + 2 && b.bottom > a.top + 2) problems.push(`'${texts[i][0]}' and '${texts[j][0]}' overlap`);
          }
        }
        for (const cell of document.querySelectorAll('dd, dt, h1, p')) if (cell.scrollWidth > cell.clientWidth + 1) problems.push(`'${cell.textContent}' is cut off`);
        document.title = 'looked: ' + problems.slice(0, 10).join('; ');
        </script>
        """;

    private readonly string _folder = Directory.CreateTempSubdirectory("nasbackup-report-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void The_page_tells_totals_takeovers_largest_and_failed_files_and_earlier_sets()
    {
        string page = new ReportPage(Report()).Make();

        Assert.Contains("CompletedWithErrors", page, StringComparison.Ordinal);
        Assert.Contains("<td>NoProgress</td>", page, StringComparison.Ordinal);
        Assert.Contains("/srv/data/large-0", page, StringComparison.Ordinal);
        Assert.Contains("FileVanished", page, StringComparison.Ordinal);
        Assert.Contains("20260101T030405Z-abc234", page, StringComparison.Ordinal);
    }

    [Fact]
    public void The_page_loads_nothing_and_shows_names_as_they_are()
    {
        string page = new ReportPage(Report()).Make();

        Assert.DoesNotMatch("(?i)<script|<link rel=\"stylesheet|https?://|@import|url\\(|src=\"(?!data:)", page);
        Assert.Contains("&lt;b&gt;bold&lt;/b&gt;", page, StringComparison.Ordinal);
        Assert.DoesNotContain("<b>bold", page, StringComparison.Ordinal);
    }

    [Fact]
    public void A_plan_that_nobody_has_started_has_a_page_too()
    {
        string page = new ReportPage(new BackupReport
        {
            Plan = Plan(PlanStatus.Requested, ["nas1"]),
            Assignments = [],
            Commits = [],
            LargestFiles = [],
            Failures = [],
            Log = [],
            History = [],
            EndedAt = Start,
            Problems = ["The device is away."],
        }).Make();

        Assert.Contains("Requested", page, StringComparison.Ordinal);
        Assert.Contains("The device is away.", page, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(1100)]
    [InlineData(800)]
    [InlineData(500)]
    public void In_a_browser_nothing_is_cut_off_and_nothing_overlaps(int width)
    {
        string browser = new[] { "chromium", "chromium-browser", "google-chrome" }.Select(Find).FirstOrDefault(path => path is not null) ?? "";
        Assert.SkipWhen(browser.Length == 0, "Chromium is not installed.");
        string page = Regex.Replace(new ReportPage(Report()).Make(), "<meta http-equiv=[^>]*>", "", RegexOptions.None, TimeSpan.FromSeconds(5));
        string file = Path.Combine(_folder, "report.html");
        File.WriteAllText(file, page.Replace("</body>", Look + "</body>", StringComparison.Ordinal));
        string picture = Path.Combine(_folder, "report.png");

        Run(browser, width, $"--screenshot={picture}", file);
        string seen = Run(browser, width, "--dump-dom", file);

        Assert.True(new FileInfo(picture).Length > 20_000);
        string title = WebUtility.HtmlDecode(Regex.Match(seen, "<title>(?<title>.*?)</title>", RegexOptions.Singleline, TimeSpan.FromSeconds(5)).Groups[1].Value);
        Assert.Equal("looked: ", title);
    }

    private string Run(string browser, int width, string task, string file)
    {
        var start = new ProcessStartInfo(browser) { RedirectStandardOutput = true, RedirectStandardError = true, UseShellExecute = false };
        foreach (string argument in (string[])["--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", $"--user-data-dir={_folder}/profile", $"--window-size={width},3000", task, $"file://{file}"])
        {
            start.ArgumentList.Add(argument);
        }

        using Process process = Process.Start(start)!;
        process.ErrorDataReceived += static (_, _) => { };
        process.BeginErrorReadLine();
        Task<string> output = process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        if (!process.WaitForExit(TimeSpan.FromSeconds(90)))
        {
            process.Kill(entireProcessTree: true);
            Assert.Skip("Chromium does not come to an end here.");
        }

        return output.Result;
    }

    private static string? Find(string program) => (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator)
        .Select(folder => Path.Combine(folder, program))
        .FirstOrDefault(File.Exists);

    /// <summary>A backup with much in it: long names, a takeover and one of what that gave away, failures, earlier runs.</summary>
    private static BackupReport Report()
    {
        string[] nodes = ["nas1", "nas2", "a-node-with-a-name-as-long-as-names-may-be.rack-17.example", .. Enumerable.Range(4, 9).Select(i => $"nas{i}")];
        var assignments = new List<ReportAssignment>();
        for (int i = 0; i < nodes.Length; i++)
        {
            bool hasFailed = i == 1;
            assignments.Add(new ReportAssignment(
                $"L{i + 1}", null, nodes[i], Start, Start.AddSeconds(hasFailed ? 70 : 100 + i), hasFailed, hasFailed ? "NoProgress" : null, nodes[hasFailed ? 0 : i], 1000, 5_000_000_000, hasFailed ? 400 : 1000, hasFailed ? 2_000_000_000 : 5_000_000_000));
        }

        assignments.Add(new ReportAssignment("L2-11112222", "L2", nodes[0], Start.AddSeconds(70), Start.AddSeconds(131), false, null, nodes[0], 300, 1_500_000_000, 300, 1_500_000_000));
        assignments.Add(new ReportAssignment("L2-33334444", "L2", nodes[2], Start.AddSeconds(70), Start.AddSeconds(132), false, null, nodes[2], 300, 1_500_000_000, 298, 1_400_000_000));
        return new BackupReport
        {
            Plan = Plan(PlanStatus.CompletedWithErrors, nodes),
            Set = Set("20260102T030405Z-abc234"),
            Assignments = assignments,
            Commits = [.. nodes.SelectMany(node => Enumerable.Range(1, 60).Select(i => new ReportCommit(node, Start.AddSeconds(2 * i), 17, 90_000_000))).OrderBy(commit => commit.Time)],
            LargestFiles = [.. Enumerable.Range(0, 15).Select(i => new ReportFile($"/srv/data/large-{i}/{new string('x', 20 * i)}", 4_000_000_000 / (i + 1), nodes[i % nodes.Length]))],
            Failures = [new FailedEntry($"/srv/data/<b>bold</b>/{new string('y', 200)}", "FileVanished", "It was gone.", "nas1")],
            Log = [.. nodes.SelectMany(node => Enumerable.Range(0, 3).Select(run => Log(node, run)))],
            History = [Set("20260101T030405Z-abc234"), Set("20260102T030405Z-abc234")],
            EndedAt = Start.AddSeconds(132),
            Problems = [],
        };
    }

    private static BackupPlan Plan(PlanStatus status, string[] nodes) => new()
    {
        Id = "20260102T030405Z-abc234",
        Share = "/mnt/share",
        Status = status,
        Path = ["/srv/data"],
        Destination = "/mnt/backup",
        Nodes = nodes,
        Strategy = PlanStrategy.Balanced,
        Layout = DeviceLayout.Mirror,
        Type = BackupType.Full,
        FailureTimeout = TimeSpan.FromSeconds(30),
        FailoverTimeout = TimeSpan.FromMinutes(5),
        CreatedAt = Start,
        DataPath = "/mnt/backup/20260102T030405Z-abc234/data/srv/data",
    };

    private static BackupSet Set(string id) => new()
    {
        SetId = id,
        Device = "/mnt/backup",
        Status = SetStatus.CompletedWithErrors,
        Path = ["/srv/data"],
        DataPath = $"/mnt/backup/{id}/data/srv/data",
        Type = BackupType.Full,
        Layout = DeviceLayout.Mirror,
        CreatedAt = Start,
        CompletedAt = Start.AddSeconds(133),
        Entries = 12_000,
        Bytes = 60_000_000_000,
        NewBytes = 60_000_000_000,
        FailedEntries = 2,
        FailedNodes = ["nas2"],
    };

    private static NodeLogRecord Log(string node, int run) => new()
    {
        Node = node,
        PlanId = run == 2 ? "20260102T030405Z-abc234" : string.Create(CultureInfo.InvariantCulture, $"2026010{run + 1}T000000Z-old234"),
        CompletedAt = Start.AddDays(run - 2),
        Duration = TimeSpan.FromSeconds(100),
        Entries = 1000,
        Bytes = 5_000_000_000,
        Speed = 50_000_000 - (run * 4_000_000),
        TransferRate = 50_000_000,
        CostPerEntry = TimeSpan.FromMilliseconds(1),
        Status = BackupStatus.Completed,
    };
}
