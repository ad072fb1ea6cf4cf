"""Which live files need not be there, by where they lie and whose they are? Groups 5 to 8 of the causes."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import compress, count

from layerscope.analysis.causes import Cause
from layerscope.analysis.kinds import KINDS, CauseKind
from layerscope.analysis.remedies import fix_packages, fix_trace, title_packages
from layerscope.analysis.scene import BARE, Pile, Scene
from layerscope.analysis.traces import Lookup, Trace
from layerscope.model import ONLY_LIVE

CLAIMS: tuple[tuple[CauseKind, Trace | None], ...] = tuple(
    (kind, trace) for kind in KINDS if 5 <= kind.group <= 8 for trace in (kind.traces or (None,))
)
"""What claims live bytes: kinds by package (no trace) and traces, the first in order gets a byte."""


def find_leftovers(scene: Scene) -> tuple[list[Cause], set[int]]:
    """Return a cause for each (claim, layer), and the rows that they claim: live files, all of whose live names match."""
    piles: dict[tuple[int, int], Pile] = {}
    claimed: set[int] = set()
    lookup = Lookup([trace for _, trace in CLAIMS])
    owned = _numbers_of_packages(scene)
    for position, row, number, size, span in _matches(scene, lookup, owned):
        links = scene.names.get(row)
        if links is not None and not _all_match(scene, lookup, links, number):
            continue
        claimed.add(row)
        pile = piles.get((number, position))
        if pile is None:
            pile = piles[number, position] = Pile()
        pile.add(row, size, span + scene.links.get(row, 0))
    return [_cause(scene, number, position, pile) for (number, position), pile in piles.items() if pile.bytes], claimed


def _numbers_of_packages(scene: Scene) -> dict[int, int]:
    """Return package number -> number of the claim that takes it whole."""
    owned: dict[int, int] = {}
    for number, (kind, _) in enumerate(CLAIMS):
        if kind.packages is not None:
            for package in kind.packages(scene.demand):
                owned.setdefault(package, number)
    return owned


def _matches(scene: Scene, lookup: Lookup, owned: dict[int, int]) -> Iterator[tuple[int, int, int, int, int]]:
    """Yield position, row id, claim, size and span of each live file and symlink that something claims."""
    none = lookup.none
    owners = scene.column if owned else None
    for layer in scene.image.layers:
        index = layer.index
        if index is None:
            continue
        start, paths, kinds = scene.stack.starts[layer.position], index.paths, index.kinds
        live = scene.fates[start : start + len(index)].translate(ONLY_LIVE)
        here, place, ends = None, none, frozenset[bytes]()
        for inside, folder, size in compress(zip(count(), index.folders, index.sizes, strict=False), live):
            if not size and kinds[inside] not in BARE:
                continue
            if folder is not here:
                here, (place, ends, _) = folder, lookup.at(folder)
            number, path = place, paths[inside]
            if number != none or path[-2:] in ends:
                number = lookup.of(scene, path, folder)
                place, ends, _ = lookup.at(folder)
            if owners is not None and (claim := owned.get(owners[start + inside], none)) < number:
                number = claim
            if number < none:
                yield layer.position, start + inside, number, size, index.spans[inside]


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
