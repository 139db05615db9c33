using System.Management.Automation;

namespace NasBackup.Cli.Arguments;

/// <summary>An argument as the engine's own binder takes it.</summary>
/// <param name="Name">The parameter's name; null for a positional value.</param>
/// <param name="HasValue">Whether there is a value; a switch needs none.</param>
internal sealed record BoundArgument(string? Name, bool HasValue, object? Value);

/// <summary>
/// Pairs the words of a command line with a cmdlet's parameters. Names may be shortened and have aliases as in the shell; a name
/// that nothing matches is passed on as it stands, so that the engine reports it in its own words.
/// </summary>
internal sealed class ArgumentBinder
{
    private readonly CommandInfo command;

    public ArgumentBinder(CommandInfo command) => this.command = command;

    /// <exception cref="UsageException">A value is missing, or cannot be read as its parameter's type demands.</exception>
    public IReadOnlyList<BoundArgument> Bind(IReadOnlyList<string> words)
    {
        var arguments = new List<BoundArgument>();
        var positional = new List<string>();
        for (var i = 0; i < words.Count; i++)
        {
            if (words[i] == "--")
            {
                positional.AddRange(words.Skip(i + 1));
                break;
            }

            if (!IsName(words[i]))
            {
                positional.Add(words[i]);
                continue;
            }

            var (name, inline) = Split(words[i]);
            var parameter = Find(name);
            var type = parameter?.ParameterType ?? typeof(object);
            var takesNext = inline is null && type != typeof(SwitchParameter) && i + 1 < words.Count
                && (parameter is not null || !IsName(words[i + 1]));
            var text = takesNext ? words[++i] : inline;
            if (text is null && parameter is not null && type != typeof(SwitchParameter))
            {
                throw new UsageException("MissingArgument", $"-{parameter.Name} of {command.Name} needs a value.", words[i]);
            }

            arguments.Add(new BoundArgument(parameter?.Name ?? name, text is not null, text is null ? null : ValueReader.Read(text, type)));
        }

        var types = PositionalTypes([.. arguments.Select(static argument => argument.Name!)]);
        for (var i = 0; i < positional.Count; i++)
        {
            arguments.Add(new BoundArgument(null, true, ValueReader.Read(positional[i], i < types.Count ? types[i] : typeof(string))));
        }

        return arguments;
    }

    /// <summary>A dash and a letter begin a name; <c>-5</c> and <c>-</c> are values.</summary>
    private static bool IsName(string word) => word is ['-', var first, ..] && (char.IsLetter(first) || first is '?' or '_');

    /// <summary><c>-Name</c> or <c>-Name:value</c>. As in the shell, nothing after the colon means that the value is the next word.</summary>
    private static (string Name, string? Value) Split(string word)
    {
        var colon = word.IndexOf(':', StringComparison.Ordinal);
        return colon switch
        {
            < 0 => (word[1..], null),
            _ when colon == word.Length - 1 => (word[1..colon], null),
            _ => (word[1..colon], word[(colon + 1)..]),
        };
    }

    /// <summary>The parameter of that name or alias, or the only one that begins so; null where there is none, or several.</summary>
    private ParameterMetadata? Find(string name)
    {
        var all = command.Parameters.Values;
        if (all.FirstOrDefault(parameter => Names(parameter).Contains(name, StringComparer.OrdinalIgnoreCase)) is { } exact)
        {
            return exact;
        }

        var candidates = all
            .Where(parameter => Names(parameter).Any(known => known.StartsWith(name, StringComparison.OrdinalIgnoreCase)))
            .ToList();
        if (candidates.Count > 1)
        {
            // The cmdlet's own parameters go before those that every cmdlet has.
            candidates.RemoveAll(static parameter => Cmdlet.CommonParameters.Contains(parameter.Name));
        }

        return candidates.Count == 1 ? candidates[0] : null;
    }

    private static IEnumerable<string> Names(ParameterMetadata parameter) => [parameter.Name, .. parameter.Aliases];

    /// <summary>The types of the positions that are left, in the parameter set that fits the names given.</summary>
    private IReadOnlyList<Type> PositionalTypes(IReadOnlyCollection<string> given)
    {
        bool IsGiven(CommandParameterInfo parameter) => given.Contains(parameter.Name, StringComparer.OrdinalIgnoreCase);

        var set = command.ParameterSets
            .Where(set => given.All(name => !command.Parameters.ContainsKey(name) || set.Parameters.Any(parameter => parameter.Name == name)))
            .OrderByDescending(static set => set.IsDefault)
            .FirstOrDefault();
        return set is null
            ? []
            : [.. set.Parameters
                .Where(parameter => parameter.Position >= 0 && !IsGiven(parameter))
                .OrderBy(static parameter => parameter.Position)
                .Select(static parameter => parameter.ParameterType)];
    }
}
