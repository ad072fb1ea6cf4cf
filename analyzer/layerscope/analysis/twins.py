"""Was the same content stored again where a layer replaced files, and what differs beside it?"""

from __future__ import annotations

from collections.abc import Iterable
from functools import reduce
from itertools import compress, repeat
from operator import ne

from layerscope.analysis.scene import Scene
from layerscope.columns import differ, pair_off
from layerscope.model import LayerIndex, either, only, pick

METADATA, IDENTICAL, REPLACED_LATER = "metadata-only-copy", "identical-rewrite", "replaced-later"
MODE, OWNER, TIME, ATTRIBUTES = ASPECTS = ("mode", "owner", "time", "attributes")
Sorted = dict[str, list[int]]
AT_ONCE = 1 << 13  # rows, each of which takes some objects while it is sorted
_NOT = only(0)


def sort_replaced(scene: Scene, index: LayerIndex, rows: list[int], start: int, hidden_in: int) -> tuple[Sorted, set[str]]:
    """Return rows that one layer replaced by the kind of that, and what differs of those with content and the same one.

    `start` is the row id of the first row as the replacing layer saw it.
    """
    found: Sorted = {METADATA: [], IDENTICAL: [], REPLACED_LATER: []}
    aspects: set[str] = set()
    stack = scene.stack
    there = stack.starts[hidden_in], stack.starts[hidden_in + 1]
    for at in range(0, len(rows), AT_ONCE):
        # Those with content of which one file took the place, each with its row, and all others.
        plain, twins, others = pair_off(rows[at : at + AT_ONCE], index.sizes, start, stack.successors, scene.linked, there)
        _sort_plain(index, plain, scene.image.index_of(hidden_in), twins, found, aspects)
        for row in others:
            kind, differing = _compare(scene, index, row, start + row, hidden_in)
            found[kind].append(row)
            if index.sizes[row]:
                aspects.update(differing)
    for sorted_ in found.values():
        sorted_.sort()
    return found, aspects


def _sort_plain(
    one: LayerIndex, rows: list[int], other: LayerIndex | None, twins: list[int], found: Sorted, aspects: set[str]
) -> None:
    """Sort rows that have a twin each, column by column."""
    if other is None or not rows:
        return
    contents, others = pick(one.contents, rows), pick(other.contents, twins)
    if contents != others or not all(contents):
        same = bytes([content != 0 and content == twin for content, twin in zip(contents, others, strict=True)])
        found[REPLACED_LATER] += compress(rows, same.translate(_NOT))
        rows, twins = list(compress(rows, same)), list(compress(twins, same))

    differing = {
        MODE: differ(one.modes, rows, other.modes, twins),
        OWNER: either(differ(one.uids, rows, other.uids, twins), differ(one.gids, rows, other.gids, twins)),
        TIME: differ(one.mtimes, rows, other.mtimes, twins),
    }
    if one.xattrs or other.xattrs:
        pairs = (map(column.xattrs.get, these, repeat(())) for column, these in ((one, rows), (other, twins)))
        differing[ATTRIBUTES] = bytes(map(ne, *pairs))
    aspects.update(aspect for aspect, mask in differing.items() if 1 in mask)
    anything = reduce(either, differing.values())
    found[METADATA] += compress(rows, anything)
    found[IDENTICAL] += compress(rows, anything.translate(_NOT))


def _compare(scene: Scene, index: LayerIndex, row: int, ident: int, hidden_in: int) -> tuple[str, Iterable[str]]:
    """Return the kind of a replacement, and what differs: of one of several names, or without content."""
    stack, names = scene.stack, scene.names
    if index.sizes[row] and not index.contents[row]:
        return REPLACED_LATER, ()
    first, beyond = stack.starts[hidden_in], stack.starts[hidden_in + 1]
    for name in (ident, *names[ident]) if ident in names else (ident,):
        successor = stack.successors[name]
        if not first <= successor < beyond:
            continue
        successor = stack.inodes.get(successor, successor)
        if successor < 0 or successor == ident:
            continue
        _, other, there = scene.place(successor)
        if _same(index, row, other, there):
            aspects = _differences(index, row, other, there)
            return (METADATA if aspects else IDENTICAL), aspects
    return REPLACED_LATER, ()


def _same(one: LayerIndex, row: int, other: LayerIndex, there: int) -> bool:
    """Whether two rows hold the same bytes, or link to the same place."""
    if one.sizes[row]:
        return one.contents[row] == other.contents[there]
    return one.kinds[row] == other.kinds[there] and not other.sizes[there] and one.links.get(row) == other.links.get(there)


def _differences(one: LayerIndex, row: int, other: LayerIndex, there: int) -> list[str]:
    """Return what differs between two rows beside content."""
    differing = {
        MODE: one.modes[row] != other.modes[there],
        OWNER: one.uids[row] != other.uids[there] or one.gids[row] != other.gids[there],
        TIME: one.mtimes[row] != other.mtimes[there],
        ATTRIBUTES: one.xattrs.get(row, ()) != other.xattrs.get(there, ()),
    }
    return [aspect for aspect, differs in differing.items() if differs]
