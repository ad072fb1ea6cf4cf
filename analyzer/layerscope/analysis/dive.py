"""What would dive say? Its definitions, not its reading bugs (F09 to F11), so that old thresholds keep working."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from layerscope.frozen import frozen
from layerscope.model import Kind, LayerIndex
from layerscope.rootfs import AUFS, Stack, parent_of


@frozen
class Dive:
    """dive's numbers by dive's definitions; `user_wasted_percent` is a ratio, None where that tool has NaN."""

    efficiency: float
    size_bytes: int
    user_size_bytes: int
    wasted_bytes: int
    user_wasted_percent: float | None


LONG = 1024
WHITEOUT = int(Kind.WHITEOUT)
SPECIAL = (WHITEOUT, int(Kind.OPAQUE), int(Kind.OTHER))


def count_as_dive(indexes: Sequence[LayerIndex | None], stack: Stack) -> Dive:
    """Count as dive does: every layer listed, repeats too; a path wastes all its copies once it is seen twice."""
    sizes = [0 if index is None else sum(index.sizes) + sum(index.declared.values()) for index in indexes]
    first: dict[bytes, int] = {}
    again: dict[bytes, tuple[int, int]] = {}  # path -> sum of sizes, smallest size
    for position, index in enumerate(indexes):
        if index is None:
            continue
        folders = stack.folders[stack.starts[position] : stack.starts[position + 1]]
        leaves = _leaves(index, folders, stack.buried[position])
        for path in first.keys() & leaves.keys():
            size = leaves.pop(path)
            total, least = again.get(path) or (first[path], first[path])
            again[path] = (total + size, min(least, size))
        first.update(leaves)
    once = sum(first.values()) - sum(first[path] for path in again)
    wasted = sum(total for total, _ in again.values())
    discovered = once + wasted
    needed = once + sum(least for _, least in again.values())
    user = sum(sizes[1:])
    return Dive(
        efficiency=needed / discovered if discovered else 1.0,
        size_bytes=sum(sizes),
        user_size_bytes=user,
        wasted_bytes=wasted,
        user_wasted_percent=wasted / user if user else None,
    )


def _leaves(index: LayerIndex, folders: list[bytes], buried: dict[bytes, int]) -> dict[bytes, int]:
    """Return the leaves of one layer's own tree, with their sizes; a whiteout weighs what `buried` says, or is nothing."""
    leaves = dict(zip(index.paths, index.sizes, strict=True))
    if any(kind in index.kinds for kind in SPECIAL) or any(path.startswith(AUFS) for path in leaves):
        leaves = _leaves_with_marks(index, buried)
    for row, size in index.declared.items():
        if index.paths[row] in leaves and index.kinds[row] not in SPECIAL:
            leaves[index.paths[row]] = size
    for path in _inner(index.paths, folders):
        leaves.pop(path, None)
    return leaves


def _inner(paths: list[bytes], folders: list[bytes]) -> set[bytes]:
    """Return the paths that have something below them, whether listed or not."""
    inner = set(folders)
    if any(len(folder) > LONG for folder in inner):  # then all names of all parents take too much room
        ordered = sorted({path.replace(b"/", b"\0") for path in paths})
        return {b"", *(one.replace(b"\0", b"/") for one, other in pairwise(ordered) if other.startswith(one + b"\0"))}
    for folder in tuple(inner):
        parent = folder
        while parent:
            parent = parent_of(parent)
            if parent in inner:
                break
            inner.add(parent)
    return inner


def _leaves_with_marks(index: LayerIndex, buried: dict[bytes, int]) -> dict[bytes, int]:
    leaves: dict[bytes, int] = {}
    for path, kind, size in zip(index.paths, index.kinds, index.sizes, strict=True):
        if kind == WHITEOUT:
            if path in buried:
                leaves[path] = buried[path]
        elif kind not in SPECIAL and not path.startswith(AUFS):
            leaves[path] = size
    return leaves
