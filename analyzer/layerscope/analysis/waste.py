"""Which bytes does no container see, and why are they there?

Groups 1 to 4 of the causes: together exactly the hidden content.
"""

from __future__ import annotations

from itertools import compress

from layerscope.analysis.causes import Cause, Certainty
from layerscope.analysis.rebuilds import fix_waste
from layerscope.analysis.scene import BARE, Pile, Scene
from layerscope.model import LayerIndex
from layerscope.rootfs import REPLACED

METADATA, IDENTICAL, DELETED_LATER, REPLACED_LATER = (
    "metadata-only-copy",
    "identical-rewrite",
    "deleted-later",
    "replaced-later",
)
NO_ASPECTS: tuple[str, ...] = ()
ASPECTS = ("mode", "owner", "time", "attributes")


def find_waste(scene: Scene) -> list[Cause]:
    """Return a cause for each (kind, layer that stores, layer that hid)."""
    image, stack, fates, ended = scene.image, scene.stack, scene.fates, scene.ended
    links = scene.links
    last = {(first if (first := layer.same_as) is not None else layer.position): layer.position for layer in image.layers}
    piles: dict[tuple[str, int, int], Pile] = {}
    for layer in image.layers:
        index = layer.index
        if index is None:
            continue
        start = stack.starts[layer.position]
        moved = stack.starts[last[layer.position]] - start
        spans, kinds = index.spans, index.kinds
        for row in compress(range(len(index)), fates[start : start + len(index)]):
            size = index.sizes[row]
            if not size and kinds[row] not in BARE:
                continue
            ident = start + row
            hidden_in = ended[ident]
            kind, aspects = DELETED_LATER, NO_ASPECTS
            if fates[ident] == REPLACED:
                kind, aspects = _compare(scene, index, row, ident + moved, hidden_in)
            pile = piles.get((kind, layer.position, hidden_in))
            if pile is None:
                pile = piles[kind, layer.position, hidden_in] = Pile()
            pile.add(ident, size, spans[row] + links.get(ident, 0) if links else spans[row])
            if aspects and size:
                pile.aspects.update(aspects)
    return [_cause(scene, key, pile) for key, pile in piles.items() if pile.bytes]


def _compare(scene: Scene, index: LayerIndex, row: int, ident: int, hidden_in: int) -> tuple[str, tuple[str, ...]]:
    """Return the kind of a replacement: was the same content stored again, and what differs?"""
    stack, names = scene.stack, scene.names
    if index.sizes[row] and row not in index.digests:
        return REPLACED_LATER, ()
    first, beyond = stack.starts[hidden_in], stack.starts[hidden_in + 1]
    for name in (ident, *names[ident]) if ident in names else (ident,):
        successor = stack.successors.get(name, -1)
        if not first <= successor < beyond:
            continue
        successor = stack.inodes.get(successor, successor)
        if successor < 0 or successor == ident:
            continue
        position = hidden_in if first <= successor < beyond else stack.position_of(successor)
        other = scene.image.index_of(position)
        assert other is not None
        there = successor - stack.starts[position]
        if _same(index, row, other, there):
            aspects = differences(index, row, other, there)
            return (METADATA if aspects else IDENTICAL), aspects
    return REPLACED_LATER, ()


def _same(one: LayerIndex, row: int, other: LayerIndex, there: int) -> bool:
    """Whether two rows hold the same bytes, or link to the same place."""
    if one.sizes[row]:
        return one.digests[row] == other.digests.get(there)
    return one.kinds[row] == other.kinds[there] and not other.sizes[there] and one.links.get(row) == other.links.get(there)


def differences(one: LayerIndex, row: int, other: LayerIndex, there: int) -> tuple[str, ...]:
    """Return what differs between two rows beside content."""
    found = []
    if one.modes[row] != other.modes[there]:
        found.append("mode")
    if one.uids[row] != other.uids[there] or one.gids[row] != other.gids[there]:
        found.append("owner")
    if one.mtimes[row] != other.mtimes[there]:
        found.append("time")
    if one.xattrs.get(row, ()) != other.xattrs.get(there, ()):
        found.append("attributes")
    return tuple(found)


def _cause(scene: Scene, key: tuple[str, int, int], pile: Pile) -> Cause:
    kind, position, hidden_in = key
    fix = fix_waste(scene, kind, position, hidden_in, pile)
    title = _title(kind, len(pile.rows), pile.aspects)
    return pile.cause(scene, kind, Certainty.FACT, position, title, fix, hidden_in=hidden_in)


def _title(kind: str, count: int, aspects: set[str]) -> str:
    files = f"{count:,} file{'' if count == 1 else 's'}"
    if kind == METADATA:
        differing = " and ".join(aspect for aspect in ASPECTS if aspect in aspects)
        verb = "differs" if len(aspects) == 1 and "attributes" not in aspects else "differ"
        return f"{files} stored twice, only the {differing} {verb}"
    if kind == IDENTICAL:
        return f"{files} stored twice, nothing differs"
    if kind == DELETED_LATER:
        return f"{files} deleted later, still shipped"
    return f"{files} replaced later, old content still shipped"
