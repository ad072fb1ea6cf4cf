"""Which live files hold the same content more than once?"""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections import defaultdict
from itertools import compress, count

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
    groups: defaultdict[bytes, list[int]] = defaultdict(list)
    paths: list[bytes] = []
    sizes = array("q")
    for layer in image.layers:
        index, start = image.index_of(layer.position), stack.starts[layer.position]
        if index is None:
            continue
        paths += index.paths
        sizes.extend(index.sizes)
        live = fates[start : start + len(index)].translate(ONLY_LIVE) if layer.same_as is None else b""
        for row, token in compress(zip(count(start), index.digests, strict=False), live):
            if token:
                groups[token].append(row)
    sets = []
    for token, rows in groups.items():
        size = sizes[rows[0]]
        if len(rows) > 1 and size:
            shares = tuple([PathShare(paths[row], sizes[row], bisect_right(stack.starts, row) - 1) for row in rows])
            sets.append(DuplicateSet(f"{image.hashing}:{token.hex()}", size, len(rows), shares, tuple(rows)))
    return tuple(sorted(sets, key=lambda group: (-group.wasted_bytes, group.paths[0].path)))
