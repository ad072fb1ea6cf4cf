"""Which live files hold the same content more than once?"""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from itertools import compress, count
from operator import ne

from layerscope.analysis.causes import PathShare
from layerscope.frozen import frozen
from layerscope.model import ONLY_LIVE, Image
from layerscope.rootfs import Stack


@frozen
class DuplicateSet:
    """Live files of equal content that are different inodes; `bytes` is the size of one, `rows` their ids in the stack."""

    digest: str
    bytes: int
    copies: int
    paths: tuple[PathShare, ...]
    rows: tuple[int, ...] = ()

    @property
    def wasted_bytes(self) -> int:
        """What all but one copy take."""
        return self.bytes * (self.copies - 1)


def find_duplicates(image: Image, stack: Stack, fates: bytearray) -> tuple[DuplicateSet, ...]:
    """Return the sets of equal live files, by a strong digest, the most wasteful first; hard links are no duplicates."""
    first: dict[bytes, int] = {}
    groups: defaultdict[int, list[int]] = defaultdict(list)  # all but the first of each set, by the first
    for layer in image.layers:
        if layer.index is None:
            continue
        start, digests = stack.starts[layer.position], layer.index.digests
        live = fates[start : start + len(digests)].translate(ONLY_LIVE)
        rows = list(compress(compress(count(start), live), compress(digests, live)))
        leaders = list(map(first.setdefault, filter(None, compress(digests, live)), rows))
        for leader, row in compress(zip(leaders, rows, strict=True), map(ne, leaders, rows)):
            groups[leader].append(row)
    sets = (_set(image, stack, [leader, *others]) for leader, others in sorted(groups.items()))
    return tuple(sorted((one for one in sets if one.bytes), key=lambda group: (-group.wasted_bytes, group.paths[0].path)))


def _set(image: Image, stack: Stack, rows: list[int]) -> DuplicateSet:
    starts, layers, shares, token = stack.starts, image.layers, [], b""
    for row in rows:
        position = bisect_right(starts, row) - 1
        index, inside = layers[position].index, row - starts[position]
        assert index is not None
        shares.append(PathShare(index.paths[inside], index.sizes[inside], position))
        token = index.digests[inside]
    return DuplicateSet(f"{image.hashing}:{token.hex()}", shares[0].bytes, len(rows), tuple(shares), tuple(rows))
