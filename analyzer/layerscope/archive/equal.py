"""Which files hold the same content? Rows of one image get numbers that are equal exactly where contents are.

Their prints tell (`prints`). While a layer is read they are taken of all that passes, and of small files of one that lies in
place; of large ones there only if another file is as long.
"""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate, chain, compress
from operator import not_

from layerscope.archive import quick
from layerscope.archive.feed import Buffer
from layerscope.archive.prints import SMALL, WIDTH, Prints
from layerscope.archive.tar.sparse import SPARSE_HASHED, fill
from layerscope.model import Kind, LayerIndex

PIECE = 1 << 12
WINDOW = 1 << 16
NEAR = 1 << 13  # so near to what was read last, reading on pays
CHUNK = 1 << 17  # stays in the processor's cache


class Place:
    """An uncompressed layer: its index, and where its bytes begin in a buffer. Small reads come from a window."""

    def __init__(self, index: LayerIndex, buffer: Buffer, start: int) -> None:
        self.index = index
        self.buffer = buffer
        self.start = start
        self._window = b""
        self._at = 0

    def content(self, row: int, skip: int, size: int) -> bytes:
        """Return part of a file's stored data."""
        where = self.start + self.index.offsets[row] + skip
        begin = where - self._at
        if begin < 0 or begin + size > len(self._window):
            if size > WINDOW:
                return self.buffer[where : where + size]
            near = 0 <= begin - len(self._window) < NEAR
            self._window, self._at, begin = self.buffer[where : where + (WINDOW if near else max(size, PIECE))], where, 0
        return self._window[begin : begin + size]

    def pieces(self, row: int) -> Iterator[bytes]:
        """Yield a file's content."""
        size, fragments = self.index.sizes[row], self.index.sparse.get(row)
        stored = size if fragments is None else sum(length for _, length in fragments)
        data = (self.content(row, skip, min(CHUNK, stored - skip)) for skip in range(0, stored, CHUNK))
        return data if fragments is None else fill(fragments, size, data)


def mark_equal(indexes: Sequence[LayerIndex], places: Iterable[Place], prints: Prints) -> dict[int, bytes]:
    """Fill `contents` of layers that are compared with one another; return the labels of what may be seen in several places.

    `indexes` are all layers, each once, `places` those of them that lie in place. Prints and labels are of no use afterwards,
    and go; paths and kept contents that are equal become one object.
    """
    placed = {id(place.index): place for place in places}
    if placed:
        sizes = Counter(size for index in indexes for size in filter(SMALL.__lt__, index.sizes))
        for place in placed.values():
            _take_prints(place, sizes, prints)
    numbers, moved = (quick.number_equal or number_equal)(
        b"".join(index.prints for index in indexes), [index.paths for index in indexes]
    )
    starts = list(accumulate(map(len, indexes), initial=0))
    columns = array("i", numbers)
    contents: dict[int, bytes] = {}
    labels: dict[int, bytes] = {}
    for number in sorted(moved | _find_linked(indexes, columns)):
        position = bisect_right(starts, number - 1) - 1
        index, row = indexes[position], number - 1 - starts[position]
        if id(index) in placed:
            labels[number] = prints.start(placed[id(index)].pieces(row)).label()
        else:
            labels[number] = bytes(index.labels[row * WIDTH : (row + 1) * WIDTH])
    for index, start in zip(indexes, starts, strict=False):
        index.contents[:] = columns[start : start + len(index)]
        del index.prints[:], index.labels[:]
        for row, content in index.kept.items():
            if number := index.contents[row]:
                index.kept[row] = contents.setdefault(number, content)
    return labels


def _find_linked(indexes: Iterable[LayerIndex], numbers: array[int]) -> set[int]:
    """Return the numbers of what hard links lead to: it may be there although its path is another's."""
    targets = {path for index in indexes for row, path in index.links.items() if index.kinds[row] == Kind.HARDLINK}
    if not targets:
        return set()
    paths = chain.from_iterable(index.paths for index in indexes)
    return {number for path, number in compress(zip(paths, numbers, strict=True), numbers) if path in targets}


def _take_prints(place: Place, sizes: Counter[int], prints: Prints) -> None:
    """Take the prints of files that have none yet, unless no other is as long."""
    index = place.index
    for row in compress(range(len(index)), map(not_, index.prints)):
        size = index.sizes[row]
        if not size or (size > SMALL and sizes[size] == 1) or (row in index.sparse and size > SPARSE_HASHED):
            continue
        index.prints[row] = prints.start(place.pieces(row)).print()


def number_equal(prints: bytes, columns: Sequence[list[bytes]]) -> tuple[bytes, set[int]]:
    """Give all rows that share a print one number; `prints` are of all layers, 0 where there is none, `columns` their paths.

    Rows are numbered through from 1. Each gets the number of the first one like it, 0 if no other is; the path of that becomes
    one object with its own. Return the numbers, and those of which some row has another path. (`runs.c` does the same.)
    """
    starts = list(accumulate(map(len, columns), initial=0))
    paths = [path for column in columns for path in column]
    told = array("q", prints)
    first: dict[int, int] = {}
    numbers = array("i", bytes(4 * len(told)))
    moved = set()
    for row in compress(range(len(told)), told):
        leader = first.setdefault(told[row], row)
        if leader == row:
            continue
        numbers[leader] = numbers[row] = leader + 1
        if paths[leader] == paths[row]:
            paths[row] = paths[leader]
        else:
            moved.add(leader + 1)
    for start, stop, column in zip(starts, starts[1:], columns, strict=False):
        column[:] = paths[start:stop]
    return numbers.tobytes(), moved
