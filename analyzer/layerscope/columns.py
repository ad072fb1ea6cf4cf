"""What do the columns of many rows tell, all at once?

Each function is a short loop over all rows of a layer, and done in the compiled part where that is there; see stacking.c.
Rows are picked by masks: bytes of 0 and 1, one a row, as `compress` takes them.
"""

from __future__ import annotations

from array import array
from collections.abc import Collection, Iterable, Sequence
from itertools import chain, compress, repeat
from operator import is_not, itemgetter, ne, not_
from typing import Any

from layerscope.compiled import find
from layerscope.model import both, pick

_compiled = find("stacking")
Sums = dict[int, tuple[int, int]]


def where(mask: bytes | bytearray) -> list[int]:
    """Return the rows that are in a mask."""
    if _compiled is not None:
        return _compiled.where(mask)  # type: ignore[no-any-return]
    return list(compress(range(len(mask)), mask))


def turns(folders: list[bytes]) -> bytes:
    """Return a mask of where another folder begins: rows whose folder is another object than that of the row before."""
    if _compiled is not None:
        return bytes(_compiled.turns(folders))
    return bytes(map(is_not, folders, chain((None,), folders)))


def among(folders: list[bytes], wanted: Collection[bytes]) -> bytes:
    """Return a mask of the rows whose folder is one of some."""
    if _compiled is not None:
        return bytes(_compiled.among(folders, wanted))
    return bytes(map(wanted.__contains__, folders))


def spread(numbers: dict[bytes, int], folders: list[bytes]) -> array[int]:
    """Return the number that each row's folder has."""
    found = array("i")
    if _compiled is not None:
        found.frombytes(_compiled.spread(numbers, folders))
    else:
        found.fromlist(list(map(numbers.__getitem__, folders)))
    return found


def ending(paths: list[bytes], tails: tuple[bytes, ...], mask: bytes | bytearray) -> bytes:
    """Return a mask of those of the paths in a mask that end in one of some ways, each of at least two bytes."""
    if _compiled is not None:
        return bytes(_compiled.ending(paths, tails, mask))
    # The last bytes are looked up before anything else: nearly no path ends in any of these ways.
    lasts, found = {tail[-2:] for tail in tails}, bytearray(len(paths))
    for row in where(both(mask, bytes(map(lasts.__contains__, map(itemgetter(slice(-2, None)), paths))))):
        found[row] = paths[row].endswith(tails)
    return bytes(found)


def translate(numbers: array[int], table: bytes) -> bytes:
    """Return for each number what a table has in its place, 0 for one that is not in there."""
    if _compiled is not None:
        return bytes(_compiled.translate(numbers, table))
    return bytes(map(dict(enumerate(table)).get, numbers, repeat(0)))


def differ(one: Sequence[Any], rows: list[int], other: Sequence[Any], twins: list[int]) -> bytes:
    """Return a mask of where what a column has in some rows is not what another one, of its type, has in their twins."""
    if _compiled is not None:
        return bytes(_compiled.differ(one, rows, other, twins))
    return bytes(map(ne, pick(one, rows), pick(other, twins)))


def add_up(numbers: array[int] | bytearray, weights: array[int], mask: bytes | bytearray) -> Sums:
    """Return for each number that is in the mask how often it is, and what its rows weigh."""
    found = None if _compiled is None else _compiled.add_up(numbers, weights, mask)
    if found is not None:
        return found  # type: ignore[no-any-return]
    sums: dict[int, list[int]] = {}
    for number, weight in compress(zip(numbers, weights, strict=True), mask):
        if number in sums:
            sums[number].append(weight)
        else:
            sums[number] = [weight]
    return {number: (len(each), sum(each)) for number, each in sums.items()}


def largest(rows: array[int], sizes: array[int], count: int) -> list[tuple[int, int]]:
    """Return the rows of the largest sizes, each with its size; of equal ones the first rows."""
    if _compiled is not None:
        return _compiled.largest(rows, sizes, count)  # type: ignore[no-any-return]
    from heapq import nlargest  # only where nothing is compiled

    least = min(nlargest(count, sizes), default=0)
    found = compress(zip(sizes, rows, strict=True), map(least.__le__, sizes))
    return [(-negative, size) for size, negative in nlargest(count, ((size, -row) for size, row in found))]


def pair_off(
    rows: list[int], sizes: array[int], start: int, successors: array[int], linked: bytearray, there: tuple[int, int]
) -> tuple[list[int], list[int], list[int]]:
    """Return the rows with a size whose successor is in a layer and is, as they are, not linked; these; and all other rows.

    `start` is the id of row 0, `there` those of the layer's first row and of the one past its last; successors and linked are
    of all ids, and each successor that is returned is a row of its layer.
    """
    if _compiled is not None:
        return _compiled.pair_off(rows, sizes, start, successors, linked, *there)  # type: ignore[no-any-return]
    first, beyond = there
    plain, twins, others = list[int](), list[int](), list[int]()
    for row in rows:
        twin = successors[start + row]
        if sizes[row] and first <= twin < beyond and not linked[start + row] and not linked[twin]:
            plain.append(row)
            twins.append(twin - first)
        else:
            others.append(row)
    return plain, twins, others


def sort_out(rows: list[int], start: int, sizes: array[int]) -> tuple[array[int], array[int], array[int]]:
    """Return the ids of the rows that have a size, these sizes, and the ids of the others; `start` is that of row 0."""
    found = array("q"), array("q"), array("q")
    if _compiled is not None:
        for column, told in zip(found, _compiled.sort_out(rows, start, sizes), strict=True):
            column.frombytes(told)
        return found
    idents, here = [start + row for row in rows], pick(sizes, rows)
    columns: Iterable[Iterable[int]] = (compress(idents, here), filter(None, here), compress(idents, map(not_, here)))
    for column, those in zip(found, columns, strict=True):
        column.fromlist(list(those))  # much faster than `extend`
    return found
