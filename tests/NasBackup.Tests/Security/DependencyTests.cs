using System.Xml.Linq;
using NasBackup.Tests.Support;

namespace NasBackup.Tests.Security;

/// <summary>Nothing comes in unseen.</summary>
public sealed class DependencyTests
{
    private static readonly string Root = Path.Combine(Path.GetDirectoryName(ModuleRunspace.ManifestPath)!, "..");

    [Fact]
    public void Every_package_is_named_with_what_for_its_license_who_maintains_it_and_why_not_another()
    {
        string[] lines = File.ReadAllLines(Path.Combine(Root, "docs", "dependencies.md"));

        Assert.All(
            XDocument.Load(Path.Combine(Root, "Directory.Packages.props")).Descendants("PackageVersion").Select(item => item.Attribute("Include")!.Value),
            package =>
            {
                string line = Assert.Single(lines, line => line.StartsWith($"| {package} |", StringComparison.Ordinal));
                Assert.All(line.Trim('|').Split('|'), cell => Assert.NotEqual("", cell.Trim()));
                Assert.Equal(5, line.Trim('|').Split('|').Length);
            });
    }

    [Fact]
    public void Every_project_restores_locked_versions()
        => Assert.All(
            Directory.GetFiles(Root, "*.csproj", SearchOption.AllDirectories).Where(file => !file.Contains("/artifacts/", StringComparison.Ordinal)),
            project => Assert.True(File.Exists(Path.Combine(Path.GetDirectoryName(project)!, "packages.lock.json")), $"{project} has no packages.lock.json"));
}
