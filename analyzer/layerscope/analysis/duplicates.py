"""Which live files hold the same content more than once?"""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterator
from itertools import accumulate, compress, count, islice
from operator import ne

from layerscope.analysis.causes import PathShare
from layerscope.frozen import frozen
from layerscope.model import ONLY_LIVE, Image


@frozen
class DuplicateSet:
    """Live files of equal content that are different inodes; `bytes` is the size of one."""

    digest: str
    bytes: int
    copies: int
    paths: tuple[PathShare, ...]

    @property
    def wasted_bytes(self) -> int:
        """What all but one copy take."""
        return self.bytes * (self.copies - 1)


@frozen
class Duplicates:
    """All sets of equal files, the most wasteful first, as columns: there are thousands, of which hardly any is looked at.

    labels, sizes, copies  of each set: the XXH128 of the content, the size of one file, how many there are
    rows, layers, paths     of each file, set by set: its id in the stack, the layer that stores it, its name
    """

    labels: tuple[bytes, ...]
    sizes: array[int]
    copies: array[int]
    rows: array[int]
    layers: array[int]
    paths: tuple[bytes, ...]

    @property
    def wasted_bytes(self) -> int:
        """For each set, all copies but one."""
        return sum(size * (copies - 1) for size, copies in zip(self.sizes, self.copies, strict=True))

    def __iter__(self) -> Iterator[DuplicateSet]:
        """Yield every set as an object."""
        files = zip(self.paths, self.layers, strict=True)
        for label, size, copies in zip(self.labels, self.sizes, self.copies, strict=True):
            paths = tuple([PathShare(path, size, layer) for path, layer in islice(files, copies)])
            yield DuplicateSet(f"xxh128:{label.hex()}", size, copies, paths)

    def places(self) -> Iterator[tuple[int, list[tuple[int, int]]]]:
        """Yield of every set the size of a file, and each one's row and layer."""
        files = zip(self.rows, self.layers, strict=True)
        for size, copies in zip(self.sizes, self.copies, strict=True):
            yield size, list(islice(files, copies))


def find_duplicates(image: Image, fates: bytearray) -> Duplicates:
    """Return the sets of equal live files; hard links are no duplicates."""
    first: dict[int, int] = {}
    groups: defaultdict[int, list[int]] = defaultdict(list)  # all but the first of each set, by the first
    indexes = [image.index_of(layer.position) for layer in image.layers]
    starts = list(accumulate((0 if index is None else len(index) for index in indexes), initial=0))
    for layer, index in zip(image.layers, indexes, strict=True):
        if index is None or layer.same_as is not None:
            continue
        start = starts[layer.position]
        live = fates[start : start + len(index)].translate(ONLY_LIVE)
        told = list(compress(index.contents, live))
        rows = list(compress(compress(count(start), live), told))
        leaders = list(map(first.setdefault, filter(None, told), rows))
        for leader, row in compress(zip(leaders, rows, strict=True), map(ne, leaders, rows)):
            groups[leader].append(row)
    del first

    sets = []
    for leader, others in groups.items():
        position = bisect_right(starts, leader) - 1
        index, row = indexes[position], leader - starts[position]
        if index is not None and index.sizes[row]:
            sets.append(
                (-index.sizes[row] * len(others), index.paths[row], (leader, *others), index.sizes[row], index.contents[row])
            )
    sets.sort()
    flat = array("q", [row for _, _, rows, _, _ in sets for row in rows])
    layers = array("i", [bisect_right(starts, row) - 1 for row in flat])
    paths = [[] if index is None else index.paths for index in indexes]
    return Duplicates(
        labels=tuple([image.labels.get(content, b"") for *_, content in sets]),
        sizes=array("q", [size for *_, size, _ in sets]),
        copies=array("q", [len(rows) for _, _, rows, _, _ in sets]),
        rows=flat,
        layers=layers,
        paths=tuple([paths[position][row - starts[position]] for row, position in zip(flat, layers, strict=True)]),
    )
