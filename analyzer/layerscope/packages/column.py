"""Who has each row?

The layers are walked from the top down, so that the database as of each is at hand (see `claims`). An upgrade may leave a
file in place: settings that nobody is to overwrite, or what is the same in both versions. It is the new version's then.
"""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections import defaultdict
from typing import TYPE_CHECKING

from layerscope.columns import translate, where
from layerscope.model import ONLY_FILES, ONLY_LIVE, Kind, LayerIndex, both, only, unlike
from layerscope.packages.claims import NOBODY, Claims

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from collections.abc import Set as AbstractSet

    from layerscope.packages.classes import Classes
    from layerscope.packages.timeline import Timeline, Version
    from layerscope.rootfs.stack import Stack

FIRST_CLASS = NOBODY - 1
"""The number of the first of `CLASSES` in a column; the others follow downwards."""

_UNOWNABLE = only(*(kind for kind in Kind if kind not in (Kind.FILE, Kind.SYMLINK, Kind.HARDLINK)))
_NOT = only(0)


def assign(
    indexes: Sequence[LayerIndex | None],
    same_as: Sequence[int | None],
    stack: Stack,
    *,
    claims: Claims,
    heirs: Claims,
    gone: AbstractSet[int],
    lines: Iterable[Timeline],
    classes: Classes,
    folders: Callable[[int], AbstractSet[bytes]],
) -> array[int]:
    """Return who has each row, walking from the top layer to the base.

    `claims` and `heirs` are empty; `gone` are the numbers of the packages that are not there at the end; `folders` tells in
    which folders a layer's entries are.
    """
    starts = stack.starts
    column = array("i", [NOBODY]) * starts[-1]
    schedule = _schedule(lines, len(indexes))
    first_links: dict[int, int] = {}
    for position in reversed(range(len(indexes))):
        for database, version in schedule.get(position, ()):
            claims.lay(database, version.packages)
        index, start = indexes[position], starts[position]
        if index is None or same_as[position] is not None:
            continue
        owners = _owners(index, claims, classes, folders(position))
        for row in sorted((row for row in index.links if index.kinds[row] == Kind.HARDLINK), reverse=True):
            if owners[row] >= 0:
                first_links[_first(stack.inodes.get(start + row, -1), starts, same_as)] = start + row
        column[start : starts[position + 1]] = owners
    # The first name that somebody owns decides: mostly the file's own, but a link may stand before it.
    for row, link in first_links.items():
        if row >= 0 and (column[row] < 0 or link < row):
            column[row] = column[link]
    _inherit(column, indexes, stack, heirs, gone, schedule.get(len(indexes) - 1, ()))
    for position, original in enumerate(same_as):
        if original is not None:
            column[starts[position] : starts[position + 1]] = column[starts[original] : starts[original + 1]]
    for row, inode in stack.inodes.items():
        column[row] = column[inode] if inode >= 0 else NOBODY
    return column


def _schedule(lines: Iterable[Timeline], layers: int) -> dict[int, list[tuple[str, Version]]]:
    """Return layer position -> versions, each with its database, to lay before its rows on the way down.

    Databases of the system come first, so that language packages find their parents.
    """
    schedule: defaultdict[int, list[tuple[str, Version]]] = defaultdict(list)
    for line in sorted(lines, key=lambda line: not any(p.system for v in line.versions for p in v.packages)):
        next_position = layers
        for version in reversed(line.versions):
            schedule[next_position - 1].append((line.database.name, version))
            next_position = version.position
    return schedule


def _owners(index: LayerIndex, claims: Claims, classes: Classes, folders: AbstractSet[bytes]) -> array[int]:
    """Return who has each row of one layer, by its own name; links that nobody lists and folders are nobody's."""
    rank, paths = classes.rank, index.paths
    owners = claims.owners(paths, index.folders, folders)
    for row in where(index.kinds.translate(_UNOWNABLE)):
        owners[row] = NOBODY
    somebodys = unlike(owners, array("i", [NOBODY]) * len(owners))
    for row in where(both(index.kinds.translate(ONLY_FILES), somebodys.translate(_NOT))):
        owners[row] = FIRST_CLASS - rank(paths[row])
    return owners


def _inherit(
    column: array[int],
    indexes: Sequence[LayerIndex | None],
    stack: Stack,
    heirs: Claims,
    gone: AbstractSet[int],
    last: Iterable[tuple[str, Version]],
) -> None:
    """Give what is there, but whose package is not, to the package that lists it at the end."""
    if not gone:
        return
    orphans = both(stack.fates.translate(ONLY_LIVE), translate(column, bytes(map(gone.__contains__, range(max(gone) + 1)))))
    left = [row for row in where(orphans) if stack.name_ended(row) < 0]
    if not left:
        return
    for database, version in last:
        heirs.lay(database, version.packages)
    paths, folders = [], []
    for row in left:
        position = stack.position_of(row)
        index = indexes[position]
        assert index is not None
        paths.append(index.paths[row - stack.starts[position]])
        folders.append(index.folders[row - stack.starts[position]])
    for row, number in zip(left, heirs.owners(paths, folders, set(folders)), strict=True):
        if number != NOBODY:
            column[row] = number


def _first(row: int, starts: Sequence[int], same_as: Sequence[int | None]) -> int:
    """Return the row that counts: of a repeated layer the one in its first position."""
    if row < 0:
        return row
    position = bisect_right(starts, row) - 1
    original = same_as[position]
    return row if original is None else starts[original] + row - starts[position]
