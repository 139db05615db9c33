using System.Collections;
using System.Globalization;
using System.Management.Automation;
using System.Reflection;
using System.Runtime.CompilerServices;

namespace NasBackup.Cmdlets.Parameters;

/// <summary>
/// Makes the module's objects again from what remoting delivers (Deserialized.NasBackup.…), property by property.
/// Registered in NasBackup.types.ps1xml for each type.
/// </summary>
public sealed class DeserializedConverter : PSTypeConverter
{
    private const string Prefix = "Deserialized.";

    /// <inheritdoc/>
    public override bool CanConvertFrom(PSObject sourceValue, Type destinationType)
        => CanMake(sourceValue, destinationType);

    /// <inheritdoc/>
    public override bool CanConvertFrom(object sourceValue, Type destinationType)
        => sourceValue is PSObject wrapped && CanConvertFrom(wrapped, destinationType);

    /// <inheritdoc/>
    public override object ConvertFrom(object sourceValue, Type destinationType, IFormatProvider formatProvider, bool ignoreCase)
        => ConvertFrom(PSObject.AsPSObject(sourceValue), destinationType, formatProvider, ignoreCase);

    /// <inheritdoc/>
    public override object ConvertFrom(PSObject sourceValue, Type destinationType, IFormatProvider formatProvider, bool ignoreCase)
        => Make(sourceValue, destinationType);

    /// <inheritdoc/>
    public override bool CanConvertTo(object sourceValue, Type destinationType) => false;

    /// <inheritdoc/>
    public override object ConvertTo(object sourceValue, Type destinationType, IFormatProvider formatProvider, bool ignoreCase)
        => throw new PSInvalidCastException($"A {sourceValue.GetType().Name} is not converted to {destinationType.Name}.");

    private static bool CanMake(PSObject source, Type type) => source.TypeNames.Contains(Prefix + type.FullName);

    private static object Make(PSObject source, Type type)
    {
        object made = RuntimeHelpers.GetUninitializedObject(type);
        if (type.GetConstructor(Type.EmptyTypes) is { } constructor)
        {
            made = constructor.Invoke(null);
        }

        foreach (PropertyInfo property in type.GetProperties(BindingFlags.Public | BindingFlags.Instance))
        {
            if (property.CanWrite && source.Properties[property.Name]?.Value is { } value)
            {
                property.SetValue(made, Convert(value, property.PropertyType));
            }
        }

        return made;
    }

    private static object? Convert(object value, Type type)
    {
        object plain = value is PSObject wrapped ? wrapped.BaseObject : value;
        if (type == typeof(object))
        {
            return plain is IEnumerable several and not string ? several.Cast<object>().Select(item => item.ToString()!).ToArray() : plain;
        }

        if (type.IsGenericType && type.GetGenericTypeDefinition() == typeof(IReadOnlyList<>))
        {
            Type itemType = type.GetGenericArguments()[0];
            object[] items = plain is IEnumerable list and not string ? [.. list.Cast<object>()] : [value];
            var array = Array.CreateInstance(itemType, items.Length);
            for (int i = 0; i < items.Length; i++)
            {
                array.SetValue(Convert(items[i], itemType), i);
            }

            return array;
        }

        if (type.IsGenericType && type.GetGenericTypeDefinition() == typeof(IReadOnlyDictionary<,>) && plain is IDictionary pairs)
        {
            Type[] types = type.GetGenericArguments();
            var made = (IDictionary)Activator.CreateInstance(typeof(Dictionary<,>).MakeGenericType(types))!;
            foreach (DictionaryEntry pair in pairs)
            {
                made[Convert(pair.Key, types[0])!] = pair.Value is null ? null : Convert(pair.Value, types[1]);
            }

            return made;
        }

        return value is PSObject nested && !type.IsEnum && CanMake(nested, type)
            ? Make(nested, type)
            : LanguagePrimitives.ConvertTo(value, type, CultureInfo.InvariantCulture);
    }
}
