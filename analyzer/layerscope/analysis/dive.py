"""What would dive say? Its definitions, not its reading bugs (F09 to F11), so that old thresholds keep working."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable, Sequence
from itertools import chain, compress, count, pairwise
from operator import not_

from layerscope.columns import among, turns, where
from layerscope.compiled import find
from layerscope.frozen import frozen
from layerscope.model import ONLY_FOLDERS, Kind, LayerIndex, both, only, unlike
from layerscope.rootfs.paths import parent_of
from layerscope.rootfs.stack import AUFS, Stack


@frozen
class Dive:
    """dive's numbers by dive's definitions; `user_wasted_percent` is a ratio, None where that tool has NaN."""

    efficiency: float
    size_bytes: int
    user_size_bytes: int
    wasted_bytes: int
    user_wasted_percent: float | None


LONG = 1024
_compiled = find("stacking")
quickly: Callable[..., tuple[int, int, int] | None] | None = None if _compiled is None else _compiled.gather
"""Does what `_gather` does, or nothing where numbers get too large; see stacking.c."""
WHITEOUT = int(Kind.WHITEOUT)
SPECIAL = (WHITEOUT, int(Kind.OPAQUE), int(Kind.OTHER))
ONCE, OFTEN = 1, 2
_NOT, _ONLY_OFTEN = only(0), only(OFTEN)
_THINGS = only(*(kind for kind in Kind if kind != Kind.DIRECTORY))


def count_as_dive(indexes: Sequence[LayerIndex | None], stack: Stack) -> Dive:
    """Count as dive does: every layer listed, repeats too; a path wastes all its copies once it is seen twice."""
    sizes = [0 if index is None else sum(index.sizes) + sum(index.declared.values()) for index in indexes]
    weights, leaves = _weigh(indexes, stack)
    for start, index in zip(stack.starts, indexes, strict=False):
        for row, link in index.renamed.items() if index is not None else ():  # dive takes the link for the link
            weights[start + row], weights[start + link] = weights[start + link], weights[start + row]
    discovered, needed, wasted = (quickly and quickly(stack.numbers, weights, leaves)) or _gather(
        stack.numbers, weights, leaves
    )
    user = sum(sizes[1:])
    return Dive(
        efficiency=needed / discovered if discovered else 1.0,
        size_bytes=sum(sizes),
        user_size_bytes=user,
        wasted_bytes=wasted,
        user_wasted_percent=wasted / user if user else None,
    )


def _gather(numbers: array[int], weights: array[int], leaves: bytearray) -> tuple[int, int, int]:
    """Return what all leaves weigh, what the least of each path does, and what all of the paths do that have several.

    The least of a path is kept where its first row stands.
    """
    rows = array("i")
    rows.fromlist(list(range(len(weights))))  # much faster than `extend`
    later = unlike(numbers, rows)
    seen = bytearray(both(leaves, later.translate(_NOT)))
    again = both(leaves, later)
    more = list(compress(weights, again))
    discovered = sum(weights)
    needed = discovered - sum(more)
    for number, weight in zip(compress(numbers, again), more, strict=True):
        if not seen[number]:
            seen[number], weights[number] = ONCE, weight
            needed += weight
        else:
            seen[number] = OFTEN
            if weight < weights[number]:
                needed += weight - weights[number]
                weights[number] = weight
    return discovered, needed, discovered - needed + sum(compress(weights, seen.translate(_ONLY_OFTEN)))


def _weigh(indexes: Sequence[LayerIndex | None], stack: Stack) -> tuple[array[int], bytearray]:
    """Return what each row of the stack weighs, and a mask of the leaves of their layers; all else weighs nothing."""
    weights, leaves = array("q"), bytearray()
    # Where one layer may list a path twice, its leaves are gathered one by one.
    twice = {ended for _, ended in stack.names.values()}
    if any(note.id == "E18" for note in stack.notes):
        twice.update(range(len(indexes)))
    for position, index in enumerate(indexes):
        if index is None:
            continue
        plain = None if position in twice or stack.took_own(position) else _plain_leaves(index)
        if plain is not None:
            leaves += plain
            weights.extend(index.sizes)
            continue
        start = len(leaves)
        leaves += bytes(len(index))
        weights.frombytes(bytes(len(index) * weights.itemsize))
        rows = dict(zip(index.paths, count(start), strict=False))
        for path, weight in _leaves(index, stack.buried[position]).items():
            leaves[rows[path]], weights[rows[path]] = 1, weight
    return weights, leaves


def _plain_leaves(index: LayerIndex) -> bytearray | None:
    """Return a mask of the leaves among a layer's rows; None if it takes more than a look at its folders to tell.

    No path may be listed twice.
    """
    if index.declared or any(kind in index.kinds for kind in SPECIAL):
        return None
    folders = set(compress(index.folders, turns(index.folders)))
    at_root = list(compress(index.paths, among(index.folders, {b""})))
    if _has_aufs(at_root, folders):
        return None
    rows = where(index.kinds.translate(ONLY_FOLDERS))
    listed = dict(zip(map(index.paths.__getitem__, rows), rows, strict=True))
    inner = _inner(index.paths, folders, folders - listed.keys())  # what is around a listed one is in `folders`, too
    implied = inner - listed.keys()
    if not implied.isdisjoint(at_root if implied == {b""} else index.paths):
        return None  # what is no folder has something below it
    leaves = index.kinds.translate(_THINGS)
    for path in listed.keys() - inner:
        leaves[listed[path]] = 1
    return leaves


def _leaves(index: LayerIndex, buried: dict[bytes, int]) -> dict[bytes, int]:
    """Return the leaves of one layer's own tree, with their sizes; a whiteout weighs what `buried` says, or is nothing."""
    leaves, folders = dict(zip(index.paths, index.sizes, strict=True)), set(index.folders)
    if any(kind in index.kinds for kind in SPECIAL) or _has_aufs(compress(index.paths, map(not_, index.folders)), folders):
        leaves = _leaves_with_marks(index, buried)
    for row, size in index.declared.items():
        if index.paths[row] in leaves and index.kinds[row] not in SPECIAL:
            leaves[index.paths[row]] = size
    for path in _inner(index.paths, folders, folders):
        leaves.pop(path, None)
    return leaves


def _has_aufs(at_root: Iterable[bytes], folders: Iterable[bytes]) -> bool:
    """Whether aufs left something of its own: in the root, or in a folder there."""
    return any(path.startswith(AUFS) for path in chain(at_root, folders))


def _inner(paths: list[bytes], folders: set[bytes], alone: set[bytes]) -> set[bytes]:
    """Return the paths that have something below them, whether listed or not.

    `folders` are those that hold a path, `alone` those of them around which there may be others that hold none.
    """
    if any(map(LONG.__lt__, map(len, folders))):  # then all names of all parents take too much room
        ordered = sorted({path.replace(b"/", b"\0") for path in paths})
        return {b"", *(one.replace(b"\0", b"/") for one, other in pairwise(ordered) if other.startswith(one + b"\0"))}
    inner = set(folders)
    for folder in alone:
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
