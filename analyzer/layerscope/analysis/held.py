"""What is left to pull where other images are already?

Who pulls decides. containerd (Kubernetes, Docker with its store) and Podman keep layers by digest and fetch none that is there,
wherever in its image. Docker's older store keeps them by all that is below them: behind the first layer that is not there it
fetches every one (moby, distribution/xfer/download.go).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import takewhile

from layerscope.analysis.books import Books
from layerscope.frozen import frozen
from layerscope.model import Image, Layer


@frozen
class Held:
    """What other images bring along.

    sources     the archives or folders that hold them
    layers      positions of the layers that they have as well
    held_bytes  what a registry need not send; `left_bytes` what it still sends; None if a layer's pull size is unknown
    chain_left_bytes  what it sends to a store that reuses only the lowest layers, up to the first that is not there
    """

    sources: tuple[str, ...]
    layers: tuple[int, ...]
    held_bytes: int | None
    left_bytes: int | None
    chain_left_bytes: int | None


def find_held(image: Image, books: Books, sources: tuple[str, ...], there: Sequence[Sequence[frozenset[str]]]) -> Held:
    """Return which layers are there already, by diff ID or digest, as both images claim them.

    `there` has of each image that is there what each of its layers is known by, base first. A layer that is listed twice is
    sent once.
    """
    known = frozenset(one for other in there for ids in other for one in ids)
    mine = [ids_of(layer) for layer in image.layers]
    layers = tuple(position for position, ids in enumerate(mine) if known & ids)
    chain = max((_common(mine, other) for other in there), default=0)
    sizes: dict[bool, list[int | None]] = {True: [], False: []}
    behind: list[int | None] = []
    for layer, row in zip(image.layers, books.layers, strict=True):
        if layer.same_as is None:
            sizes[layer.position in layers].append(row.pull_bytes)
            behind += [row.pull_bytes] if layer.position >= chain else []
    return Held(sources, layers, _sum(sizes[True]), _sum(sizes[False]), _sum(behind))


def _common(mine: Sequence[frozenset[str]], other: Sequence[frozenset[str]]) -> int:
    """Return how many layers two images have in common, from the lowest on."""
    return sum(1 for _ in takewhile(lambda pair: pair[0] & pair[1], zip(mine, other, strict=False)))


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
