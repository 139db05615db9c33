using System.Text.Json.Serialization;

namespace NasBackup.Cli.Hosting;

/// <summary>
/// Never used, but compiled: what the JSON library does with numbers, dates and truth values is generic code, of which the
/// published runner holds ahead of time only what it mentions itself. The module reads and writes such values in every
/// document; without this, each start would compile some five hundred methods for them.
/// </summary>
internal sealed record JsonPrimitives(
    int Number,
    long Long,
    ulong Unsigned,
    double Real,
    bool Truth,
    DateTime Moment,
    int? MaybeNumber,
    long? MaybeLong,
    double? MaybeReal,
    IReadOnlyDictionary<string, long> Counts);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, RespectNullableAnnotations = true, RespectRequiredConstructorParameters = true)]
[JsonSerializable(typeof(JsonPrimitives))]
internal sealed partial class PrecompiledJson : JsonSerializerContext;
