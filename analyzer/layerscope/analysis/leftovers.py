"""Which live files need not be there, by where they lie and whose they are? Groups 5 to 8 of the causes."""

from __future__ import annotations

from collections import defaultdict
from itertools import compress

from layerscope.analysis.causes import Cause
from layerscope.analysis.kinds import KINDS, CauseKind
from layerscope.analysis.remedies import fix_packages, fix_trace, title_packages
from layerscope.analysis.scene import BARE, Pile, Scene
from layerscope.analysis.traces import Lookup, Trace
from layerscope.columns import among, ending, translate, where
from layerscope.model import ONLY_LIVE, LayerIndex, both, either, only

CLAIMS: tuple[tuple[CauseKind, Trace | None], ...] = tuple(
    (kind, trace) for kind in KINDS if 5 <= kind.group <= 8 for trace in (kind.traces or (None,))
)
"""What claims live bytes: kinds by package (no trace) and traces, the first in order gets a byte."""

_BARE, _ANY = only(*BARE), only(*range(1, 256))


def find_leftovers(scene: Scene) -> tuple[list[Cause], set[int]]:
    """Return a cause for each (claim, layer), and the rows that they claim: live files, all of whose live names match."""
    causes: list[Cause] = []
    claimed: set[int] = set()
    lookup = Lookup([trace for _, trace in CLAIMS])
    owned = _numbers_of_packages(scene)
    for layer in scene.image.layers:
        index = layer.index
        if index is None:
            continue
        start = scene.stack.starts[layer.position]
        groups: defaultdict[int, list[int]] = defaultdict(list)
        found = _matches(scene, index, start, lookup, owned)
        for row in sorted(found):
            number = found[row]
            links = scene.names.get(start + row) if scene.linked[start + row] else None
            if links is None or _all_match(scene, lookup, links, number):
                groups[number].append(row)
        for number, rows in groups.items():
            pile = Pile()
            pile.add_rows(scene, index, start, rows)
            claimed.update(pile.claimed())
            if pile.bytes:
                causes.append(_cause(scene, number, layer.position, pile))
    return causes, claimed


def _numbers_of_packages(scene: Scene) -> bytes:
    """Return for each package number one more than the number of the claim that takes it whole, 0 if none does."""
    owned: dict[int, int] = {}
    for number, (kind, _) in enumerate(CLAIMS):
        if kind.packages is not None:
            for package in kind.packages(scene.demand):
                owned.setdefault(package, number + 1)
    return bytes(owned.get(package, 0) for package in range(max(owned, default=-1) + 1))


def _matches(scene: Scene, index: LayerIndex, start: int, lookup: Lookup, owned: bytes) -> dict[int, int]:
    """Return the live files and symlinks of a layer that something claims, each with the claim."""
    none, beyond = lookup.none, start + len(index)
    live = both(index.kinds.translate(_BARE), scene.fates[start:beyond].translate(ONLY_LIVE))
    claims = translate(scene.column[start:beyond], owned)
    found = {row: claims[row] - 1 for row in where(both(live, claims.translate(_ANY)))}
    telling = {folder for folder in dict.fromkeys(compress(index.folders, live)) if lookup.at(folder) is not lookup.plain}
    asked = either(both(live, among(index.folders, telling)), ending(index.paths, lookup.tails, live))
    for row in where(asked):
        path, folder = index.paths[row], index.folders[row]
        place = lookup.known[folder]
        if place.number != none or path[-2:] in place.ends:
            number = lookup.of(scene, path, folder)
            if number < found.get(row, none):
                found[row] = number
    return found


def _all_match(scene: Scene, lookup: Lookup, links: list[int], number: int) -> bool:
    """Whether every live name of an inode is of the same kind: else removing one frees nothing."""
    kind, trace = CLAIMS[number]
    if trace is None:
        return True  # hard links are their file's owner's
    for link in links:
        if scene.stack.ended[link] < 0:
            path = scene.path(link)
            other = lookup.of(scene, path, path.rpartition(b"/")[0])
            if other == lookup.none or CLAIMS[other][0] is not kind:
                return False
    return True


def _cause(scene: Scene, number: int, position: int, pile: Pile) -> Cause:
    kind, trace = CLAIMS[number]
    if trace is None:
        title, fix = title_packages(scene, kind.id, pile), fix_packages(scene, kind.id, pile)
    else:
        title, fix = trace.title, fix_trace(scene, trace, pile)
    return pile.cause(scene, kind.id, kind.certainty, position, title, fix)
