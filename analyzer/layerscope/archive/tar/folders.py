"""How much would the folders weigh that a layer only implies? A path of 1 MiB implies half a million, 250 GiB in all (E18)."""

from __future__ import annotations

from itertools import compress
from typing import Any

from layerscope.archive.limits import Limits
from layerscope.archive.notebook import Notebook
from layerscope.model import ONLY_FOLDERS, Kind, LayerIndex, Level

OPAQUE, OTHER = int(Kind.OPAQUE), int(Kind.OTHER)
EACH = 256  # bytes of memory that a folder takes beside its path
SHOWN = 200


def pass_over_deep(index: LayerIndex, limits: Limits, notes: Notebook, layer: int) -> None:
    """Turn rows whose folders would pass the limit into rows without content, and tell.

    Whoever keeps a tree of paths makes the folders that a path implies: their weight goes with the square of its length.
    """
    paths, kinds = index.paths, index.kinds
    known = {b"", *compress(paths, kinds.translate(ONLY_FOLDERS))}
    if OPAQUE not in kinds and known.issuperset(index.folders):  # nothing is only implied
        return
    left = limits.folder_bytes
    for row, folder in enumerate(index.folders):
        if kinds[row] == OPAQUE:
            folder = paths[row]
        if folder in known or kinds[row] == OTHER:
            continue
        depth = folder.count(b"/") + 1
        if depth * (len(folder) // 2 + EACH) > limits.folder_bytes or left < 0:
            message = f"a path of {depth + 1:,} parts is passed over (--limit folder_bytes=VALUE raises the limit)"
            notes.add("E18", Level.ERROR, message, path=paths[row][:SHOWN], offset=index.offsets[row], layer=layer)
            _empty(index, row)
            continue
        while folder not in known:
            known.add(folder)
            left -= len(folder) + EACH
            folder = parent_of(folder)


def parent_of(path: bytes) -> bytes:
    """Return the folder that a path is in."""
    return path[: path.rfind(b"/")] if b"/" in path else b""


def _empty(index: LayerIndex, row: int) -> None:
    index.kinds[row] = OTHER
    for numbers in (index.contents, index.prints, index.sizes):
        if numbers:  # not compared yet, or compared already
            numbers[row] = 0
    index.paths[row] = index.paths[row][:SHOWN]
    index.folders[row] = parent_of(index.paths[row])
    forget(index, row)


def forget(index: LayerIndex, row: int) -> None:
    """Take away what a row has beside its columns."""
    told: tuple[dict[int, Any], ...] = (index.links, index.xattrs, index.declared, index.sparse, index.kept)
    for column in (*told, index.inspected, index.sums):
        column.pop(row, None)
