"""What would dive say? Its definitions, not its reading bugs (F09 to F11), so that old thresholds keep working."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from layerscope.model import Kind, LayerIndex
from layerscope.rootfs import AUFS, Stack, parent_of


@dataclass(frozen=True, slots=True)
class Dive:
    """dive's numbers by dive's definitions; `user_wasted_percent` is a ratio, None where that tool has NaN."""

    efficiency: float
    size_bytes: int
    user_size_bytes: int
    wasted_bytes: int
    user_wasted_percent: float | None


UNSEEN = frozenset((int(Kind.OPAQUE), int(Kind.OTHER)))
WHITEOUT = int(Kind.WHITEOUT)


def count_as_dive(indexes: Sequence[LayerIndex | None], stack: Stack) -> Dive:
    """Count as dive does: every layer listed, repeats too; a path wastes all its copies once it is seen twice."""
    sizes = [0 if index is None else sum(index.sizes) + sum(index.declared.values()) for index in indexes]
    first: dict[bytes, int] = {}
    again: dict[bytes, tuple[int, int]] = {}  # path -> sum of sizes, smallest size
    for position, index in enumerate(indexes):
        if index is None:
            continue
        for path, size in _leaves(index, stack.buried[position]).items():
            if path not in first:
                first[path] = size
            else:
                total, least = again.get(path) or (first[path], first[path])
                again[path] = (total + size, min(least, size))
    once = sum(size for path, size in first.items() if path not in again)
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


def _leaves(index: LayerIndex, buried: dict[bytes, int]) -> dict[bytes, int]:
    """Return the leaves of one layer's own tree, with their sizes; a whiteout weighs what `buried` says, or is nothing."""
    leaves: dict[bytes, int] = {}
    inner: set[bytes] = set()
    declared = index.declared
    for row, (path, kind, size) in enumerate(zip(index.paths, index.kinds, index.sizes, strict=True)):
        if kind in UNSEEN or path.startswith(AUFS):
            continue
        if kind == WHITEOUT:
            if path not in buried:
                continue
            size = buried[path]
        elif row in declared:
            size = declared[row]
        leaves[path] = size
        parent = parent_of(path)
        while parent not in inner:
            inner.add(parent)
            parent = parent_of(parent)
    for path in inner:
        leaves.pop(path, None)
    return leaves
