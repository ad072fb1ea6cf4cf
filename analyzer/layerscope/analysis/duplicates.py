"""Which live files hold the same content more than once?"""

from __future__ import annotations

from itertools import compress

from layerscope.analysis.causes import PathShare
from layerscope.frozen import frozen
from layerscope.model import Image
from layerscope.rootfs import LIVE, Stack


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
    groups: dict[bytes, list[int]] = {}
    for layer in image.layers:
        if layer.index is not None:
            start = stack.starts[layer.position]
            for row, token in compress(enumerate(layer.index.digests), layer.index.digests):
                if fates[start + row] == LIVE:
                    groups.setdefault(token, []).append(start + row)
    sets = []
    for token, rows in groups.items():
        if len(rows) > 1:
            rows.sort()
            shares = tuple([share_of(image, stack, row) for row in rows])
            if shares[0].bytes:
                digest = f"{image.hashing}:{token.hex()}"
                sets.append(DuplicateSet(digest, shares[0].bytes, len(rows), shares, tuple(rows)))
    return tuple(sorted(sets, key=lambda group: (-group.wasted_bytes, group.paths[0].path)))


def share_of(image: Image, stack: Stack, row: int) -> PathShare:
    """Return path, size and layer of a row."""
    position = stack.position_of(row)
    index = image.index_of(position)
    assert index is not None
    inside = row - stack.starts[position]
    return PathShare(index.paths[inside], index.sizes[inside], position)
