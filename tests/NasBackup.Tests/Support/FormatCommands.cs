using System.Management.Automation;
using System.Reflection;
using Microsoft.PowerShell.Commands.Internal.Format;

namespace NasBackup.Tests.Support;

/// <summary>
/// Format-Table and Format-List as the shell's Utility module makes them, which the hosted engine comes without: the
/// bases are in the engine, and only the shape is set by code of that module.
/// </summary>
[Cmdlet(VerbsCommon.Format, "Table")]
public sealed class FormatTableTestCommand : OuterFormatTableBase
{
    public FormatTableTestCommand() => FormatShape.Set(this, "Table");
}

/// <inheritdoc cref="FormatTableTestCommand"/>
[Cmdlet(VerbsCommon.Format, "List")]
public sealed class FormatListTestCommand : OuterFormatTableAndListBase
{
    public FormatListTestCommand() => FormatShape.Set(this, "List");
}

file static class FormatShape
{
    public static void Set(FrontEndCommandBase command, string shape)
    {
        Assembly engine = typeof(FrontEndCommandBase).Assembly;
        const string Namespace = "Microsoft.PowerShell.Commands.Internal.Format.";
        Type shapes = engine.GetType(Namespace + "FormatShape", throwOnError: true)!;
        object implementation = Activator.CreateInstance(
            engine.GetType(Namespace + "InnerFormatShapeCommand", throwOnError: true)!,
            BindingFlags.Instance | BindingFlags.NonPublic | BindingFlags.Public,
            binder: null,
            [Enum.Parse(shapes, shape)],
            culture: null)!;
        typeof(FrontEndCommandBase).GetField("implementation", BindingFlags.Instance | BindingFlags.NonPublic)!.SetValue(command, implementation);
    }
}
