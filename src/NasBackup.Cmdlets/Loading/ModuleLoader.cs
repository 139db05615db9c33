using System.Management.Automation;
using System.Reflection;
using System.Runtime.Loader;

namespace NasBackup.Cmdlets.Loading;

/// <summary>
/// Finds what the engine depends on, in a load context of the module's own, so that another module with another
/// version of the same library does no harm. The module's own assemblies are in the default context, where the
/// shell looks for types.
/// </summary>
public sealed class ModuleLoader : IModuleAssemblyInitializer, IModuleAssemblyCleanup
{
    private static readonly Lock Gate = new();
    private static readonly DependencyContext Dependencies = new(Path.Combine(
        Path.GetDirectoryName(typeof(ModuleLoader).Assembly.Location)!, "deps"));

    /// <summary>Runspaces that have imported the module; the first one hooks the resolver up, the last one takes it off.</summary>
    private static int _imports;

    /// <summary>Called by the shell on each import, before any cmdlet runs.</summary>
    public void OnImport()
    {
        lock (Gate)
        {
            if (_imports++ == 0)
            {
                AssemblyLoadContext.Default.Resolving += Resolve;
            }
        }
    }

    /// <summary>Called by the shell when the module is removed.</summary>
    public void OnRemove(PSModuleInfo psModuleInfo)
    {
        lock (Gate)
        {
            if (_imports > 0 && --_imports == 0)
            {
                AssemblyLoadContext.Default.Resolving -= Resolve;
            }
        }
    }

    private static Assembly? Resolve(AssemblyLoadContext context, AssemblyName name)
        => Dependencies.Has(name) ? Dependencies.LoadFromAssemblyName(name) : null;
}
