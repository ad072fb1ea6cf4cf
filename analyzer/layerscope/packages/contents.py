"""Which files tell of packages, what do they say, and from which layer until which?

Collected once; each database then asks for its own.
"""

from __future__ import annotations

from bisect import bisect_right
from typing import TYPE_CHECKING

from layerscope.model import Kind, LayerIndex
from layerscope.packages.patterns import Patterns

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from layerscope.packages.database import Database
    from layerscope.rootfs import Stack

_MARKS = frozenset({Kind.WHITEOUT, Kind.OPAQUE})

Span = tuple[int, int, bytes, bytes]
"""Position of the layer that brings a file, that of the layer that ends it or -1, path, content."""


class Contents:
    """The files of all layers that were kept or looked into, and the places that matter by their presence."""

    __slots__ = ("_indexes", "_kept", "_names", "_stack")

    def __init__(self, indexes: Sequence[LayerIndex | None], stack: Stack) -> None:
        self._indexes = indexes
        self._stack = stack
        self._kept = [span for position in range(len(indexes)) for span in self._collect(position)]
        self._names = [path.rpartition(b"/")[2] for _, _, path, _ in self._kept]

    def matching(self, patterns: tuple[str, ...]) -> list[Span]:
        """Return the kept files that fit a pattern."""
        keep = Patterns(patterns)
        # Most patterns end in a name: one look at that spares the regular expression, for each file and database.
        ends = tuple({pattern.rpartition("/")[2].rpartition("*")[2].encode() for pattern in patterns})
        return [span for span, name in zip(self._kept, self._names, strict=True) if name.endswith(ends) and keep(span[2])]

    def of(self, database: Database) -> list[Span]:
        """Return what a database reads."""
        spans = self.matching(database.patterns) if database.patterns else []
        if database.places:
            spans += self._places(database.places)
        if database.inspect is not None:
            spans += self._inspected(database.name)
        return spans

    def _collect(self, position: int) -> Iterator[Span]:
        """Yield a layer's kept files, also under the further names that hard links give them."""
        index, stack = self._indexes[position], self._stack
        if index is None:
            return
        start = stack.starts[position]
        for row, content in index.kept.items():
            ended = stack.name_ended(start + row)
            if ended != position:
                yield position, ended, index.paths[row], content
        for row in index.links:
            if index.kinds[row] != Kind.HARDLINK:
                continue
            inode = stack.inodes.get(start + row, -1)
            if inode < 0:
                continue
            home = bisect_right(stack.starts, inode) - 1
            there = self._indexes[home]
            linked = there.kept.get(inode - stack.starts[home]) if there is not None else None
            ended = stack.name_ended(start + row)
            if linked is not None and ended != position:
                yield position, ended, index.paths[row], linked

    def _places(self, places: tuple[str, ...]) -> Iterator[Span]:
        """Yield the paths, of any kind, that matter by their presence; their content is empty."""
        matches = Patterns(places)
        is_folder = Patterns(tuple(place.rpartition("/")[0] for place in places))
        stack = self._stack
        for position, index in enumerate(self._indexes):
            if index is None:
                continue
            start = stack.starts[position]
            folders = stack.folders[start : start + len(index)]
            wanted = set(filter(is_folder, dict.fromkeys(folders)))
            if not wanted:
                continue
            for row, folder in enumerate(folders):
                path = index.paths[row]
                if folder in wanted and index.kinds[row] not in _MARKS and matches(path):
                    ended = stack.name_ended(start + row)
                    if ended != position:
                        yield position, ended, path, b""

    def _inspected(self, name: str) -> Iterator[Span]:
        """Yield what a look inside told; under the file's own name, not under those of links."""
        for position, index in enumerate(self._indexes):
            if index is None:
                continue
            for row, found in index.inspected.items():
                ended = self._stack.ended[self._stack.starts[position] + row]
                for who, told in found:
                    if who == name and ended != position:
                        yield position, ended, index.paths[row], told
