"""Which folders does a cause leave empty? They are entries of the layer as well, and go with what was in them."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import compress

from layerscope.analysis.causes import Cause
from layerscope.analysis.scene import Scene
from layerscope.columns import turns, where
from layerscope.model import ONLY_FOLDERS, Kind, LayerIndex, both, either, only, pick, unlike
from layerscope.rootfs.paths import parent_of
from layerscope.rootfs.stack import DIRECTORY, MARKS

_THINGS = only(*(kind for kind in Kind if kind not in (DIRECTORY, *MARKS)))
_NOT = only(0)
_SHARED = -1
"""A folder that holds something that stays, or things of several causes."""


def add_folders(scene: Scene, causes: Iterable[Cause]) -> list[Cause]:
    """Return the causes with the folders in which a layer has nothing but what one of them claims.

    Their entries count in `tar_bytes`, and are among `rows`. Empty folders go with the folder around them.
    """
    causes = list(causes)
    owners = array("i", [_SHARED]) * len(scene.fates)
    for number, cause in enumerate(causes):
        for row in cause.rows:
            owners[row] = number
    for link, inode in scene.stack.inodes.items():
        if inode >= 0:
            owners[link] = owners[inode]
    found: list[list[int]] = [[] for _ in causes]
    for position in sorted({cause.layer for cause in causes}):
        index = scene.image.index_of(position)
        assert index is not None
        start = scene.stack.starts[position]
        for row, number in _emptied(index, owners[start : start + len(index)]):
            if causes[number].layer == position:
                found[number].append(start + row)
    return [_with(scene, cause, rows) if rows else cause for cause, rows in zip(causes, found, strict=True)]


def _with(scene: Scene, cause: Cause, rows: Sequence[int]) -> Cause:
    index, start = scene.image.index_of(cause.layer), scene.stack.starts[cause.layer]
    assert index is not None
    spans = sum(index.spans[row - start] for row in rows)
    return replace(cause, tar_bytes=cause.tar_bytes + spans, rows=cause.rows + array("q", rows))


def _emptied(index: LayerIndex, owners: array[int]) -> list[tuple[int, int]]:
    """Return the folders of a layer that hold what one cause claims and nothing else: row and number of the cause."""
    folders, things = index.folders, index.kinds.translate(_THINGS)
    rows = where(index.kinds.translate(ONLY_FOLDERS))
    listed = pick(index.paths, rows)
    holds: dict[bytes, int | None] = dict.fromkeys(listed)
    # Where things of one folder and owner stand behind one another, the first tells of all.
    other = either(turns(folders), unlike(owners, owners[:1] + owners[:-1]))
    first = both(things, either(other, (b"\1" + things.translate(_NOT))[: len(index)]))
    for folder, owner in zip(compress(folders, first), compress(owners, first), strict=True):
        holds[folder] = owner if holds.get(folder) in (owner, None) else _SHARED
    above = dict(zip(listed, pick(folders, rows), strict=True))
    for folder in (holds.keys() | above.values()) - above.keys():
        holds.setdefault(folder, None)
        while folder and folder not in above:
            above[folder] = folder = parent_of(folder)
            holds.setdefault(folder, None)
    down = sorted(holds)
    for folder in reversed(down):  # what is in a folder stands behind it
        inside = holds[folder]
        if folder and inside is not None:
            around = above[folder]
            holds[around] = inside if holds[around] in (inside, None) else _SHARED
    for folder in down:
        if folder and holds[folder] is None:
            holds[folder] = holds[above[folder]]
    return [(row, one) for row, path in zip(rows, listed, strict=True) if (one := holds[path]) is not None and one != _SHARED]
