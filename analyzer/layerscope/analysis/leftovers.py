"""Which live files need not be there, by where they lie and whose they are? Groups 5 to 8 of the causes."""

from __future__ import annotations

from collections import defaultdict
from itertools import compress

from layerscope.analysis.causes import Cause
from layerscope.analysis.kinds import KINDS, CauseKind
from layerscope.analysis.remedies import fix_packages, fix_trace, title_packages
from layerscope.analysis.scene import BARE, Pile, Scene
from layerscope.analysis.traces import Lookup, Trace
from layerscope.model import ONLY_LIVE, LayerIndex, both, only

CLAIMS: tuple[tuple[CauseKind, Trace | None], ...] = tuple(
    (kind, trace) for kind in KINDS if 5 <= kind.group <= 8 for trace in (kind.traces or (None,))
)
"""What claims live bytes: kinds by package (no trace) and traces, the first in order gets a byte."""

_BARE = only(*BARE)


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


def _numbers_of_packages(scene: Scene) -> dict[int, int]:
    """Return package number -> number of the claim that takes it whole."""
    owned: dict[int, int] = {}
    for number, (kind, _) in enumerate(CLAIMS):
        if kind.packages is not None:
            for package in kind.packages(scene.demand):
                owned.setdefault(package, number)
    return owned


def _matches(scene: Scene, index: LayerIndex, start: int, lookup: Lookup, owned: dict[int, int]) -> dict[int, int]:
    """Return the live files and symlinks of a layer that something claims, each with the claim."""
    none, beyond = lookup.none, start + len(index)
    live = both(index.kinds.translate(_BARE), scene.fates[start:beyond].translate(ONLY_LIVE))
    found: dict[int, int] = {}
    here, place = b"", lookup.at(b"")
    rows = list(compress(range(len(index)), live))
    for row, path, folder in zip(rows, compress(index.paths, live), compress(index.folders, live), strict=True):
        if folder is not here:
            here, place = folder, lookup.at(folder)
        if place.number != none or path[-2:] in place.ends:
            number = lookup.of(scene, path, folder)
            place = lookup.at(folder)
            if number < none:
                found[row] = number
    if not owned:
        return found
    owners = list(compress(scene.column[start:beyond], live))
    mine = bytes(map(owned.__contains__, owners))
    claimed = dict(zip(compress(rows, mine), map(owned.__getitem__, compress(owners, mine)), strict=True))
    for row, number in found.items():
        claimed[row] = min(number, claimed.get(row, none))
    return claimed


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
