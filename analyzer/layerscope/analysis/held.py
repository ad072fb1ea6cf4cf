"""What is left to pull where other images are already?"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from layerscope.analysis.books import Books
from layerscope.model import Image, Layer


@dataclass(frozen=True, slots=True)
class Held:
    """What other images bring along.

    sources     the archives or folders that hold them
    layers      positions of the layers that they have as well
    held_bytes  what a registry need not send; `left_bytes` what it still sends; None if a layer's pull size is unknown
    """

    sources: tuple[str, ...]
    layers: tuple[int, ...]
    held_bytes: int | None
    left_bytes: int | None


def find_held(image: Image, books: Books, sources: tuple[str, ...], there: Iterable[str]) -> Held:
    """Return which layers are there already, by diff ID or digest, as both images claim them.

    A layer that is listed twice is sent once.
    """
    known = frozenset(there)
    layers = tuple(layer.position for layer in image.layers if known & ids_of(layer))
    sizes: dict[bool, list[int | None]] = {True: [], False: []}
    for layer, row in zip(image.layers, books.layers, strict=True):
        if layer.same_as is None:
            sizes[layer.position in layers].append(row.pull_bytes)
    return Held(sources, layers, _sum(sizes[True]), _sum(sizes[False]))


def ids_of(layer: Layer) -> frozenset[str]:
    """Return what a layer is known by: the digest of its blob, that of its tar."""
    found = None if layer.index is None else layer.index.diff_id
    return frozenset(one for one in (layer.digest, layer.diff_id, found) if one)


def _sum(sizes: Iterable[int | None]) -> int | None:
    total = 0
    for size in sizes:
        if size is None:
            return None
        total += size
    return total
