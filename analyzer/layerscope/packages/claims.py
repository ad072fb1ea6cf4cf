"""Which package claims a path, as of the layer that a walk from the top downwards has come to?

A path belongs to the package that the database as of its layer lists it for, else to that of the next later version
which lists it. So versions are laid one over the other, the latest first: each lookup is one in a dictionary, whatever
the number of layers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from layerscope.packages.paths import parent, shallow

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from layerscope.model import Package
    from layerscope.packages.aliases import Aliases
    from layerscope.packages.timeline import Key

NOBODY = -1
_CACHE = b"/__pycache__/"


class Claims:
    """Claims by package number. What a system package lists, no language package gets.

    paths      listed by system packages
    parents    language package -> system package that lists the file which tells of it; what it claims is its parent's
    """

    __slots__ = ("_aliases", "_folders", "_language", "_numbers", "_trees", "parents", "paths")

    def __init__(self, numbers: Mapping[Key, int], aliases: Aliases) -> None:
        self._numbers = numbers
        self._aliases = aliases
        self._language: dict[bytes, int] = {}
        self._trees: dict[bytes, int] = {}
        self._folders: dict[bytes, int] = {}
        self.paths: dict[bytes, int] = {}
        self.parents: dict[int, int] = {}

    def lay(self, packages: Iterable[Package]) -> None:
        """Lay an earlier version of a database over later ones; of two packages that list a path the first has it."""
        claims = []
        for package in packages:
            number = self._numbers[package.key]
            if not package.system:
                holder = self.paths.get(package.origin, NOBODY)
                if holder == NOBODY:
                    self.parents.pop(number, None)
                else:
                    self.parents[number] = number = holder
            claims.append((package, number))
        claims.reverse()
        for package, number in claims:
            table = self.paths if package.system else self._language
            table.update(dict.fromkeys(self._aliases.elsewhere(package.paths), number))
            self._trees.update(dict.fromkeys(package.trees, number))
        # Once more: a path that is listed as it lies outweighs one that gets there through a link.
        for package, number in claims:
            table = self.paths if package.system else self._language
            table.update(dict.fromkeys(package.paths, number))
        self._folders.clear()

    def owner(self, path: bytes) -> int:
        """Return who has a path that `paths` does not hold: by its name, by its source's, or by its folder."""
        number = self._language.get(path)
        if number is not None:
            return number
        if path.endswith(b".pyc") and _CACHE in path:
            number = self._compiled(path)
            if number is not None:
                return number
        return self._tree(path.rpartition(b"/")[0]) if self._trees else NOBODY

    def _compiled(self, path: bytes) -> int | None:
        """Return who has the source of compiled code: `a/__pycache__/m.cpython-311.opt-1.pyc` comes from `a/m.py`."""
        folder, _, name = path.rpartition(_CACHE)
        source = folder + b"/" + name.partition(b".")[0] + b".py"
        return self.paths.get(source, self._language.get(source))

    def _tree(self, folder: bytes) -> int:
        """Return who claims a folder or the nearest one above it; remembered until the next version is laid."""
        number = self._folders.get(folder)
        if number is None:
            place = shallow(folder)
            while (number := self._trees.get(place)) is None and place:
                place = parent(place)
            number = self._folders[folder] = NOBODY if number is None else number
        return number
