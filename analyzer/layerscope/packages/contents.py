"""Which files tell of packages, what do they say, and from which layer until which?

Collected once; each database then asks for its own.
"""

from __future__ import annotations

from bisect import bisect_right
from itertools import chain, compress, repeat
from typing import TYPE_CHECKING

from layerscope.columns import among, turns, where
from layerscope.model import Kind, LayerIndex
from layerscope.packages.moves import Moves, find_moves
from layerscope.packages.patterns import Patterns

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, KeysView, Sequence

    from layerscope.packages.database import Database
    from layerscope.rootfs.stack import Stack

_MARKS = frozenset({Kind.WHITEOUT, Kind.OPAQUE})

Span = tuple[int, int, bytes, bytes]
"""Position of the layer that brings a file, that of the layer that ends it or -1, path, content."""


class Contents:
    """The files of all layers that were kept or looked into, and the places that matter by their presence.

    moved    path at which a database is looked for -> that at which it lies
    """

    __slots__ = ("_by_end", "_by_path", "_folders", "_indexes", "_kept", "_stack", "moved")

    def __init__(self, indexes: Sequence[LayerIndex | None], stack: Stack) -> None:
        self._indexes = indexes
        self._stack = stack
        self._kept = [span for position in range(len(indexes)) for span in self._collect(position)]
        self.moved: dict[bytes, bytes] = {}
        self._kept += self._move(find_moves(indexes))
        self._folders: dict[int, KeysView[bytes]] = {}
        self._by_path: dict[bytes, list[int]] = {}
        self._by_end: dict[bytes, list[bytes]] = {}
        for number, (_, _, path, _) in enumerate(self._kept):
            self._by_path.setdefault(path, []).append(number)
        for path in self._by_path:
            self._by_end.setdefault(path[-2:], []).append(path)

    def matching(self, patterns: tuple[str, ...]) -> list[Span]:
        """Return the kept files that fit a pattern."""
        keep = Patterns(patterns)
        # One look at how a path ends, or begins, spares the regular expression, for each file and database.
        ends, starts = (
            _ends(patterns),
            tuple({pattern.partition("*")[0].encode() for pattern in patterns if pattern[-1] == "*"}),
        )
        paths: Iterable[bytes] = self._by_path
        if not starts and all(len(end) > 1 for end in ends):
            paths = chain.from_iterable(self._by_end.get(end, ()) for end in {end[-2:] for end in ends})
        fitting = [path for path in paths if (path.endswith(ends) or path.startswith(starts)) and keep(path)]
        return [self._kept[number] for number in sorted(chain.from_iterable(map(self._by_path.__getitem__, fitting)))]

    def folders(self, position: int) -> KeysView[bytes]:
        """Return the folders that a layer's entries are in, in the order in which they come; remembered."""
        found = self._folders.get(position)
        if found is None:
            index = self._indexes[position]
            folders = () if index is None else compress(index.folders, turns(index.folders))
            found = self._folders[position] = dict.fromkeys(folders).keys()
        return found

    def of(self, database: Database) -> list[Span]:
        """Return what a database reads."""
        spans = self.matching(database.patterns) if database.patterns else []
        if database.places:
            spans += self._places(database.places)
        if database.inspect is not None:
            spans += self._inspected(database.name)
        if spans and database.links is not None:
            spans += self._links(database.links)
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

    def _move(self, moves: Moves) -> list[Span]:
        """Return the files that lie elsewhere as if they lay where they are looked for, for as long as no other does."""
        found = [(span, usual) for span in self._kept if (usual := moves.usual(span[2])) is not None]
        if not found:
            return []
        there: dict[bytes, list[tuple[int, int]]] = {usual: [] for _, usual in found}
        for position, ended, path, _ in self._kept:
            if path in there:
                there[path].append((position, ended))
        moved = []
        for (position, ended, path, content), usual in found:
            for start, stop in _left(position, ended, there[usual]):
                moved.append((start, stop, usual, content))
                there[usual].append((start, stop))
                self.moved[usual] = path
        return moved

    def _places(self, places: tuple[str, ...]) -> Iterator[Span]:
        """Yield the paths, of any kind, that matter by their presence; their content is empty."""
        matches = Patterns(places)
        above = tuple(place.rpartition("/")[0] for place in places)
        is_folder, ends = Patterns(above), _ends(above)
        stack = self._stack
        for position, index in enumerate(self._indexes):
            if index is None:
                continue
            start = stack.starts[position]
            here = self.folders(position)
            wanted = set(filter(is_folder, compress(here, map(bytes.endswith, here, repeat(ends)))))
            for row in where(among(index.folders, wanted)) if wanted else ():
                path = index.paths[row]
                if index.kinds[row] not in _MARKS and matches(path):
                    ended = stack.name_ended(start + row)
                    if ended != position:
                        yield position, ended, path, b""

    def _links(self, wanted: Callable[[bytes], bool]) -> Iterator[Span]:
        """Yield symlinks; their content is what they lead to, as it is written."""
        for position, index in enumerate(self._indexes):
            if index is None:
                continue
            start = self._stack.starts[position]
            for row, target in index.links.items():
                if index.kinds[row] == Kind.SYMLINK and wanted(index.paths[row]):
                    ended = self._stack.name_ended(start + row)
                    if ended != position:
                        yield position, ended, index.paths[row], target

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


def _left(start: int, stop: int, others: Iterable[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """Yield what is left of a time, from one layer to another one or, for -1, for good, without the times of others."""
    for begin, over in sorted(others):
        if stop >= 0 and begin >= stop:
            break
        if start < begin:
            yield start, begin
        if over < 0:
            return
        start = max(start, over)
    if stop < 0 or start < stop:
        yield start, stop


def _ends(patterns: tuple[str, ...]) -> tuple[bytes, ...]:
    """Return how the names end that fit patterns which do not end in a star."""
    return tuple({pattern.rpartition("*")[2].rpartition("/")[2].encode() for pattern in patterns if pattern[-1] != "*"})
