using System.Collections;
using System.Management.Automation;
using System.Management.Automation.Language;

namespace NasBackup.Cli.Arguments;

/// <summary>Turns a word of the command line into what a parameter's type demands; the rest of the conversion is the engine's.</summary>
internal static class ValueReader
{
    /// <param name="text">The word.</param>
    /// <param name="type">The parameter's type.</param>
    /// <exception cref="UsageException">A script block or hashtable is not well formed.</exception>
    public static object? Read(string text, Type type)
    {
        var element = ElementType(type);
        var target = Nullable.GetUnderlyingType(element ?? type) ?? element ?? type;
        if (target == typeof(ScriptBlock))
        {
            return ReadScript(text);
        }

        if (target == typeof(SwitchParameter) || target == typeof(bool))
        {
            return ReadFlag(text);
        }

        if (target != typeof(string) && text.TrimStart().StartsWith("@{", StringComparison.Ordinal))
        {
            return ReadHashtable(text);
        }

        return element is null ? text : SplitList(text);
    }

    /// <summary>Splits at single commas; two are a comma of the value.</summary>
    public static string[] SplitList(string text)
    {
        var items = new List<string>();
        var item = new System.Text.StringBuilder();
        for (var i = 0; i < text.Length; i++)
        {
            if (text[i] != ',')
            {
                item.Append(text[i]);
            }
            else if (i + 1 < text.Length && text[i + 1] == ',')
            {
                item.Append(',');
                i++;
            }
            else
            {
                items.Add(item.ToString());
                item.Clear();
            }
        }

        items.Add(item.ToString());
        return [.. items];
    }

    /// <summary>What a list parameter's items are; null for other parameters.</summary>
    private static Type? ElementType(Type type)
    {
        if (type.IsArray)
        {
            return type.GetElementType();
        }

        if (type == typeof(string) || typeof(IDictionary).IsAssignableFrom(type) || !typeof(IEnumerable).IsAssignableFrom(type))
        {
            return null;
        }

        var generic = type.GetInterfaces().Append(type)
            .FirstOrDefault(static candidate => candidate.IsGenericType && candidate.GetGenericTypeDefinition() == typeof(IEnumerable<>));
        return generic?.GetGenericArguments()[0] ?? typeof(object);
    }

    /// <summary><c>$true</c>, <c>true</c> and <c>1</c>, and their opposites; anything else is the engine's to refuse.</summary>
    private static object ReadFlag(string text) => text.TrimStart('$').ToUpperInvariant() switch
    {
        "TRUE" or "1" => true,
        "FALSE" or "0" => false,
        _ => text,
    };

    /// <summary>A script, with or without the braces that it would have in the shell.</summary>
    private static ScriptBlock ReadScript(string text)
    {
        var script = Parse(text);
        var block = OnlyExpression(script) is ScriptBlockExpressionAst inner ? inner.ScriptBlock : script;
        return block.GetScriptBlock();
    }

    /// <summary>A literal: no code in it is run.</summary>
    private static object ReadHashtable(string text)
    {
        try
        {
            if (OnlyExpression(Parse(text)) is { } expression)
            {
                return expression.SafeGetValue();
            }
        }
        catch (InvalidOperationException)
        {
            // Said below: it is well formed, but more than a literal.
        }

        throw new UsageException("InvalidHashtable", $"'{text}' is not a table of plain values, such as @{{ name = 'value' }}.", text);
    }

    private static ScriptBlockAst Parse(string text)
    {
        var script = Parser.ParseInput(text, out _, out var errors);
        return errors.Length == 0 ? script : throw new UsageException(errors[0].ErrorId, $"{errors[0].Message} In: {text}", text);
    }

    private static ExpressionAst? OnlyExpression(ScriptBlockAst script) =>
        script is { ParamBlock: null, BeginBlock: null, ProcessBlock: null, EndBlock.Statements: [PipelineAst pipeline] }
            ? pipeline.GetPureExpression()
            : null;
}
