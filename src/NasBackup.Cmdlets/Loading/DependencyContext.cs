using System.Reflection;
using System.Runtime.Loader;

namespace NasBackup.Cmdlets.Loading;

/// <summary>The load context of the libraries that lie in one folder; everything else comes from the default context.</summary>
internal sealed class DependencyContext(string folder) : AssemblyLoadContext("NasBackup")
{
    /// <summary>Whether the library is one of the folder's.</summary>
    public bool Has(AssemblyName name) => File.Exists(PathOf(name));

    /// <inheritdoc/>
    protected override Assembly? Load(AssemblyName assemblyName)
        => Has(assemblyName) ? LoadFromAssemblyPath(PathOf(assemblyName)) : null;

    private string PathOf(AssemblyName name) => Path.Combine(folder, name.Name + ".dll");
}
