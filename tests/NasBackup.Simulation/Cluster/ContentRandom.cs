using System.Numerics;

namespace NasBackup.Simulation.Cluster;

/// <summary>
/// The numbers of <see cref="Random"/> with a seed, and its bytes in a fraction of the time: the library makes them one by one, and a
/// source has megabytes. (Knuth's subtractive generator, TAOCP volume 2, 3.2.2; that the numbers are the same is tested.)
/// </summary>
internal sealed class ContentRandom : Random
{
    private const int Period = 55;
    private const int Lag = 21;

    private readonly int[] _state = new int[Period];

    // The next place to be made new; as many as there are: all of them are used.
    private int _next;

    public ContentRandom(int seed)
    {
        int last = 161803398 - (seed == int.MinValue ? int.MaxValue : Math.Abs(seed));
        // The library counts its places from 1 on, and fills them 21 apart.
        _state[Period - 1] = last;
        int number = 1;
        for (int i = 1, place = 0; i < Period; i++)
        {
            place = (place + Lag) % Period;
            _state[place - 1] = number;
            number = Wrapped(last - number);
            last = _state[place - 1];
        }

        for (int round = 0; round < 4; round++)
        {
            for (int i = 0; i < Period; i++)
            {
                _state[i] = Wrapped(_state[i] - _state[(i + 31) % Period]);
            }
        }
    }

    public override int Next()
    {
        if (_next == Period)
        {
            _next = 0;
        }

        int number = Sampled(_state[_next] - _state[(_next + Lag) % Period]);
        _state[_next++] = number;
        return number;
    }

    public override int Next(int maxValue) => (int)(Sample() * maxValue);

    public override double NextDouble() => Sample();

    public override void NextBytes(byte[] buffer) => NextBytes(buffer.AsSpan());

    public override void NextBytes(Span<byte> buffer)
    {
        while (buffer.Length > 0 && _next != Period)
        {
            buffer[0] = (byte)Next();
            buffer = buffer[1..];
        }

        while (buffer.Length >= Period)
        {
            MakeAllNew();
            for (int i = 0; i < Period; i++)
            {
                buffer[i] = (byte)_state[i];
            }

            buffer = buffer[Period..];
        }

        foreach (ref byte value in buffer)
        {
            value = (byte)Next();
        }
    }

    protected override double Sample() => Next() * (1.0 / int.MaxValue);

    private static int Wrapped(int number) => number < 0 ? number + int.MaxValue : number;

    private static int Sampled(int number) => Wrapped(number == int.MaxValue ? number - 1 : number);

    /// <summary>All places in turn: first those whose other number is still the old one, then those that take the new ones.</summary>
    private void MakeAllNew()
    {
        Subtract(_state.AsSpan(0, Period - Lag), _state.AsSpan(Lag));
        Subtract(_state.AsSpan(Period - Lag), _state.AsSpan(0, Lag));
    }

    private static void Subtract(Span<int> numbers, ReadOnlySpan<int> others)
    {
        int done = 0;
        for (; done + Vector<int>.Count <= numbers.Length; done += Vector<int>.Count)
        {
            Vector<int> number = new Vector<int>(numbers[done..]) - new Vector<int>(others[done..]);
            number += Vector.Equals(number, new Vector<int>(int.MaxValue));
            number += Vector.LessThan(number, Vector<int>.Zero) & new Vector<int>(int.MaxValue);
            number.CopyTo(numbers[done..]);
        }

        for (; done < numbers.Length; done++)
        {
            numbers[done] = Sampled(numbers[done] - others[done]);
        }
    }
}
