"""Which package claims a path, as of the layer that a walk from the top downwards has come to?

A path belongs to the package that the database as of its layer lists it for, else to that of the next later version
which lists it. So versions are laid one over the other, the latest first: each lookup is one in a dictionary, whatever
the number of layers.
"""

from __future__ import annotations

from array import array
from itertools import chain, repeat
from typing import TYPE_CHECKING

from layerscope.columns import among, spread, where
from layerscope.packages.paths import MAX_DEPTH, parent, shallow

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from collections.abc import Set as AbstractSet

    from layerscope.model import Package
    from layerscope.packages.aliases import Aliases
    from layerscope.packages.timeline import Key

NOBODY = -1
_CACHE = b"/__pycache__/"

_Claim = tuple[int, bool, tuple[bytes, ...], tuple[bytes, ...]]
"""Who gets it, whether it is a system package's, paths, trees."""


class Claims:
    """Claims by package number. What a system package lists, no language package gets.

    parents    language package -> system package that lists the file which tells of it; what it claims is its parent's
    """

    __slots__ = (
        "_aliases", "_around", "_around_language", "_contested", "_folders", "_laid", "_language", "_numbers", "_paths",
        "_trees", "parents",
    )  # fmt: skip

    def __init__(self, numbers: Mapping[Key, int], aliases: Aliases) -> None:
        self._numbers = numbers
        self._aliases = aliases
        self._language: dict[bytes, int] = {}
        self._trees: dict[bytes, int] = {}
        self._folders: dict[bytes, int] = {}
        self._laid: dict[str, dict[int, _Claim]] = {}
        self._contested: set[int] = set()
        self._around: set[bytes] = set()
        self._around_language: set[bytes] = set()
        self._paths: dict[bytes, int] = {}
        self.parents: dict[int, int] = {}

    def lay(self, database: str, packages: Iterable[Package]) -> None:
        """Lay an earlier version of a database over later ones; of two packages that list a path the first has it.

        Layers often change little: a claim that the next version makes too is still there, unless somebody contests it.
        """
        before = self._laid.get(database, {})
        claims: dict[int, _Claim] = {}
        for package in packages:
            number = self._numbers[package.key]
            if number not in claims:
                claims[number] = (self._holder(package, number), package.system, package.paths, package.trees)
        self._laid[database] = claims
        news = {number for number, claim in claims.items() if before.get(number) != claim}
        laid = self._join([claims[number] for number in claims if number in news])
        todo = [claim for number, claim in claims.items() if number in news or claim[0] in self._contested]
        if len(todo) > len(news):
            laid = self._join(todo)
        for table, fresh in zip((self._paths, self._language, self._trees), laid, strict=True):
            table.update(fresh)
        for _, system, paths, _ in todo:
            if paths:
                (self._around if system else self._around_language).update(self._aliases.around(paths))
        self._folders.clear()

    def _join(self, claims: Sequence[_Claim]) -> tuple[dict[bytes, int], dict[bytes, int], dict[bytes, int]]:
        """Return who gets the paths that system packages list, those that others do, and trees; who shares one is contested.

        A path that is listed as it lies outweighs one that gets there through a link.
        """
        system: dict[bytes, int] = {}
        language: dict[bytes, int] = {}
        trees: dict[bytes, int] = {}
        listing = [(owner, system if is_system else language, paths) for owner, is_system, paths, _ in claims if paths]
        for owner, table, listed in chain(
            listing,
            [(owner, table, self._aliases.elsewhere(paths)) for owner, table, paths in listing],
            [(owner, trees, whole) for owner, _, _, whole in claims],
        ):
            first = set(map(table.setdefault, listed, repeat(owner)))
            if not first <= {owner}:
                self._contested |= first | {owner}
        for before, table in ((self._paths, system), (self._language, language), (self._trees, trees)):
            for path, owner in table.items() if before else ():
                if before.get(path, owner) != owner:
                    self._contested |= {before[path], owner}
        return system, language, trees

    def _holder(self, package: Package, number: int) -> int:
        """Return who gets what a package claims: itself, or the system package that it is part of."""
        if package.system:
            return number
        holder = self._paths.get(package.origin)
        if holder is None:
            self.parents.pop(number, None)
            return number
        self.parents[number] = holder
        return holder

    def owners(self, paths: list[bytes], folders: list[bytes], here: AbstractSet[bytes]) -> array[int]:
        """Return who has each path, given with its folder: by its name, by its source's, or by its folder.

        `here` are the folders, each once. Where something is listed in few of them, only the paths in these are looked up.
        """
        self._claim(here)
        numbers = spread(self._folders, folders)
        for table, around in ((self._language, self._around_language), (self._paths, self._around)):
            busy = here & around
            if 2 * len(busy) > len(here):
                found = list(map(table.get, paths, numbers))
                numbers = array("i")
                numbers.fromlist(found)  # much faster than from an iterator
            elif busy:
                for row in where(among(folders, busy)):
                    numbers[row] = table.get(paths[row], numbers[row])
        caches = {folder for folder in here if folder.find(_CACHE[1:-1]) >= 0 and (folder + b"/").find(_CACHE) >= 0}
        for row in where(among(folders, caches)) if caches else ():
            path = paths[row]
            if path.endswith(b".pyc") and path not in self._paths and path not in self._language:
                number = self._compiled(path)
                if number is not None:
                    numbers[row] = number
        return numbers

    def _compiled(self, path: bytes) -> int | None:
        """Return who has the source of compiled code: `a/__pycache__/m.cpython-311.opt-1.pyc` comes from `a/m.py`."""
        folder, _, name = path.rpartition(_CACHE)
        source = folder + b"/" + name.partition(b".")[0] + b".py"
        return self._paths.get(source, self._language.get(source))

    def _claim(self, here: Iterable[bytes]) -> None:
        """Find who claims each folder or the nearest one above it; remembered until the next version is laid."""
        known, trees = self._folders, self._trees
        for folder in here:
            if folder not in known:
                # Mostly the folder above was there before.
                number = None
                if len(folder) < MAX_DEPTH:
                    number = trees.get(folder)
                    if number is None:
                        number = known.get(folder.rpartition(b"/")[0])
                known[folder] = self._tree(folder) if number is None else number

    def _tree(self, folder: bytes) -> int:
        place = shallow(folder)
        while (number := self._trees.get(place)) is None and place:
            place = parent(place)
            if (number := self._folders.get(place)) is not None:
                break
        return NOBODY if number is None else number
