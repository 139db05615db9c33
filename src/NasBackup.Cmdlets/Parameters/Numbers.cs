using System.Globalization;

namespace NasBackup.Cmdlets.Parameters;

/// <summary>Numbers of any type that the shell may hand over.</summary>
internal static class Numbers
{
    public static bool IsNumber(IConvertible value)
        => value.GetTypeCode() is >= TypeCode.SByte and <= TypeCode.Decimal && !value.GetType().IsEnum;

    public static double ToDouble(IConvertible number) => number.ToDouble(CultureInfo.InvariantCulture);
}
