"""Which paths do the layers have, and which row is seen at each?"""

from __future__ import annotations

from array import array
from collections.abc import Callable, ItemsView, Iterable, Iterator, Mapping
from itertools import chain, compress

from layerscope.compiled import find
from layerscope.model import LayerIndex

_compiled = find("stacking")
seek: Callable[[list[bytes], array[int], bytes], int] | None = None if _compiled is None else _compiled.seek
"""Returns the number of a path, -1 if it has none, by a table that `_compiled.number` filled."""


def parent_of(path: bytes) -> bytes:
    """Return the folder that a path is in."""
    return path.rpartition(b"/")[0]


class Numbers:
    """Which number has a path? That of the first row that has it; behind all rows come those that only a symlink leads to.

    The compiled table holds nothing but numbers, in a quarter of the room that a dictionary takes; without it all paths are
    among `_others`.

    paths    by row, and behind them the others, in the order of their numbers
    of_rows  the number of each row's path
    """

    def __init__(self, indexes: Iterable[LayerIndex | None]) -> None:
        self.paths = list(chain.from_iterable(index.paths for index in indexes if index is not None))
        self._others: dict[bytes, int] = {}
        self._slots = array("i")
        if _compiled is None or seek is None:
            self.of_rows = array("i", map(self._others.setdefault, self.paths, range(len(self.paths))))
        else:
            self.of_rows = array("i", [-1]) * len(self.paths)
            self._slots = array("i", [-1]) * (1 << (len(self.paths) * 3 // 2).bit_length())
            _compiled.number(self.paths, self._slots, self.of_rows)

    def get(self, path: bytes) -> int:
        """Return the number of a path, -1 if it has none."""
        found = seek(self.paths, self._slots, path) if seek is not None and self._slots else -1
        return self._others.get(path, -1) if found < 0 and self._others else found

    def bury(self, tops: array[int], children: dict[bytes, list[bytes]], waiting: list[bytes], gone: list[int]) -> None:
        """Take away what is seen at the paths that wait, and all that is in them; append the rows to those that are gone."""
        if seek is not None and _compiled is not None and not self._others:
            _compiled.bury(self.paths, self._slots, tops, children, waiting, gone)
        while waiting:
            child = waiting.pop()
            number = self.get(child)
            if number >= 0 and (row := tops[number]) >= 0:
                gone.append(row)
                tops[number] = -1
            below = children.pop(child, None)
            if below:
                waiting += below

    def add(self, path: bytes) -> int:
        """Return the number of a path; one that has none gets the next."""
        number = self.get(path)
        if number < 0:
            number = self._others[path] = len(self.paths)
            self.paths.append(path)
        return number


class View(Mapping[bytes, int]):
    """Which row is seen at a path? Of all paths that any layer has, those where one is seen."""

    def __init__(self, numbers: Numbers, tops: array[int]) -> None:
        """Take the number of each path, and for each number the row that is seen, -1 for none."""
        self._numbers = numbers
        self._tops = tops

    def __contains__(self, path: object) -> bool:
        return isinstance(path, bytes) and (number := self._numbers.get(path)) >= 0 and self._tops[number] >= 0

    def __getitem__(self, path: bytes) -> int:
        number = self._numbers.get(path)
        row = self._tops[number] if number >= 0 else -1
        if row < 0:
            raise KeyError(path)
        return row

    def __iter__(self) -> Iterator[bytes]:
        return compress(self._numbers.paths, map((-1).__lt__, self._tops))

    def __len__(self) -> int:
        return len(self._tops) - self._tops.count(-1)

    def items(self) -> ItemsView[bytes, int]:
        """Return what is seen, all at once, which is much faster than one by one."""
        return {path: row for path, row in zip(self._numbers.paths, self._tops, strict=True) if row >= 0}.items()
