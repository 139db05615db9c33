using System.Collections;

namespace NasBackup.Files;

/// <summary>
/// A list in pieces. A folder of a thousand names or more would otherwise be an array on the large object heap, grown
/// by copying, and a scan leaves one behind for each folder.
/// </summary>
internal sealed class PiecewiseList<T> : IReadOnlyList<T>
{
    private const int PieceLength = 256;

    private readonly List<T[]> _pieces = [];

    public int Count { get; private set; }

    public T this[int index]
    {
        get
        {
            ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)index, (uint)Count, nameof(index));
            return _pieces[index / PieceLength][index % PieceLength];
        }
    }

    public IEnumerator<T> GetEnumerator()
    {
        for (int i = 0; i < Count; i++)
        {
            yield return _pieces[i / PieceLength][i % PieceLength];
        }
    }

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    internal void Add(T item)
    {
        int place = Count % PieceLength;
        if (place == 0)
        {
            // Most folders are small.
            _pieces.Add(new T[Count == 0 ? 16 : PieceLength]);
        }

        T[] last = _pieces[^1];
        if (place == last.Length)
        {
            Array.Resize(ref last, last.Length * 4);
            _pieces[^1] = last;
        }

        last[place] = item;
        Count++;
    }
}
