"""Which files are databases that do not lie where they are looked for: in another folder by custom, or behind a symlink?

They are read as if they lay where they are looked for. A real file at that place counts more, while it is there.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from layerscope.model import Kind
from layerscope.packages.aliases import Aliases
from layerscope.packages.databases import DECLARED
from layerscope.packages.homes import HOMES
from layerscope.packages.paths import parent
from layerscope.packages.patterns import Patterns

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from layerscope.model import LayerIndex


class Moves:
    """Tells where a file would lie if nothing had been moved; `folders` and `files` map real places to usual ones."""

    __slots__ = ("_files", "_folders", "_starts")

    def __init__(self, folders: Mapping[bytes, bytes], files: Mapping[bytes, bytes]) -> None:
        self._folders = folders
        self._files = files
        self._starts = tuple(folders)

    def usual(self, path: bytes) -> bytes | None:
        """Return where a file would be looked for, None if it is no database there, or is looked for where it is."""
        if not path.startswith(self._starts) and path not in self._files:
            return None
        keep = _fixed()[0]
        places = [self._files[path]] if path in self._files else []
        places += [usual + path[len(real) :] for real, usual in self._folders.items() if path.startswith(real)]
        return None if keep(path) else next(filter(keep, places), None)


def find_moves(indexes: Iterable[LayerIndex | None]) -> Moves:
    """Return what moved in an image, by custom or by its symlinks."""
    folders, files = _by_links(indexes)
    return Moves({home.encode(): usual.encode() for home, usual in HOMES.items()} | folders, files)


def moves_by_links(indexes: Iterable[LayerIndex | None]) -> Moves | None:
    """Return what moved behind symlinks, None if nothing did."""
    folders, files = _by_links(indexes)
    return Moves(folders, files) if folders or files else None


def _by_links(indexes: Iterable[LayerIndex | None]) -> tuple[dict[bytes, bytes], dict[bytes, bytes]]:
    """Return real folder -> usual one, with a slash at the end, and real file -> usual one; none that is looked for as well."""
    keep, folders, files, ways = _fixed()
    there = [index for index in indexes if index is not None]
    if all(ways.isdisjoint(index.paths[row] for row in index.links if index.kinds[row] == Kind.SYMLINK) for index in there):
        return {}, {}
    find = Aliases(there).folder
    behind = {real: usual for usual in folders if (real := find(usual)) not in folders}
    return (
        {real + b"/" * bool(real): usual + b"/" for real, usual in behind.items()},
        {real: usual for usual in files if not keep(real := find(usual))},
    )


@cache
def _fixed() -> tuple[Patterns, tuple[bytes, ...], tuple[bytes, ...], frozenset[bytes]]:
    """Return what is looked for; at fixed places, the folders of several files, and single files; all on the way to these."""
    fixed = [pattern.encode() for pattern in DECLARED if not pattern.startswith("**/")]
    files = tuple(pattern for pattern in fixed if b"*" not in pattern)
    folders = tuple(dict.fromkeys(parent(pattern.partition(b"*")[0]) for pattern in fixed if b"*" in pattern))
    ways = set[bytes]()
    for place in (*files, *folders):
        while place:
            ways.add(place)
            place = parent(place)
    return Patterns(DECLARED), folders, files, frozenset(ways)
