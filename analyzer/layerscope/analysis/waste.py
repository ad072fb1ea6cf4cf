"""Which bytes does no container see, and why are they there?

Groups 1 to 4 of the causes: together exactly the hidden content.
"""

from __future__ import annotations

from collections import defaultdict
from itertools import compress

from layerscope.analysis.causes import Cause, Certainty
from layerscope.analysis.rebuilds import fix_waste
from layerscope.analysis.scene import BARE, Pile, Scene
from layerscope.analysis.twins import ASPECTS, IDENTICAL, METADATA, sort_replaced
from layerscope.columns import where
from layerscope.model import ONLY_DELETED, ONLY_REPLACED, LayerIndex, both, only
from layerscope.rootfs.stack import DELETED, REPLACED

DELETED_LATER = "deleted-later"
_BARE = only(*BARE)


def find_waste(scene: Scene) -> list[Cause]:
    """Return a cause for each (kind, layer that stores, layer that hid)."""
    image, starts = scene.image, scene.stack.starts
    last = {(first if (first := layer.same_as) is not None else layer.position): layer.position for layer in image.layers}
    causes = []
    for layer in image.layers:
        index = layer.index
        if index is None:
            continue
        start = starts[layer.position]
        groups: dict[tuple[str, int], list[int]] = {}
        aspects: dict[int, set[str]] = {}
        for (fate, hidden_in), rows in _hidden(scene, index, start).items():
            if fate == REPLACED:
                found, aspects[hidden_in] = sort_replaced(scene, index, rows, starts[last[layer.position]], hidden_in)
                groups.update(((kind, hidden_in), rows) for kind, rows in found.items() if rows)
            else:
                groups[DELETED_LATER, hidden_in] = rows
        for (kind, hidden_in), rows in sorted(groups.items(), key=lambda item: item[1][0]):
            pile = Pile()
            pile.add_rows(scene, index, start, rows)
            if kind == METADATA:
                pile.aspects |= aspects[hidden_in]
            if pile.bytes:
                causes.append(_cause(scene, kind, layer.position, hidden_in, pile))
    return causes


def _hidden(scene: Scene, index: LayerIndex, start: int) -> dict[tuple[int, int], list[int]]:
    """Return the hidden files and symlinks of a layer, by their fate and the layer that hid them."""
    fates, ended = scene.fates[start : start + len(index)], scene.ended[start : start + len(index)]
    bare = index.kinds.translate(_BARE)
    found: defaultdict[tuple[int, int], list[int]] = defaultdict(list)
    for fate, table in ((REPLACED, ONLY_REPLACED), (DELETED, ONLY_DELETED)):
        here = both(bare, fates.translate(table))
        if 1 not in here:
            continue
        rows, hiding = where(here), list(compress(ended, here))
        if hiding.count(hiding[0]) == len(rows):  # one layer hid them all
            found[fate, hiding[0]] = rows
            continue
        for row, hidden_in in zip(rows, hiding, strict=True):
            found[fate, hidden_in].append(row)
    return found


def _cause(scene: Scene, kind: str, position: int, hidden_in: int, pile: Pile) -> Cause:
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
