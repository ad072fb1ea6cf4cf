"""Which files hold the same content? Marks rows of one image with tokens that are equal exactly where contents are.

A layer that passed once brings digests along. Of files that lie in place a fingerprint is taken, of small ones while
their layer is read: 64 bits that depend on a key of this process, which no writer of an image can know. Two different contents
share it once in 2^63 times. What may have a twin under another path gets its digest as well.
"""

from __future__ import annotations

import hashlib
import os
import sys
from array import array
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from itertools import accumulate, compress
from operator import ne, not_

from layerscope.archive import quick
from layerscope.archive.digests import best
from layerscope.archive.feed import Buffer
from layerscope.archive.sparse import SPARSE_HASHED, content_digest
from layerscope.model import LayerIndex

SMALL = 1 << 16
"""Bytes of a file whose fingerprint is taken of the whole, while its layer is read; a longer one's comes from its chunks'."""
PIECE = 1 << 12
WINDOW = 1 << 16
NEAR = 1 << 13  # so near to what was read last, reading on pays
CHUNK = 1 << 17  # of two files at once, in the processor's cache
KEY, SEAL = os.urandom(SMALL + 64), os.urandom(32)


def keyed(content: bytes) -> int:
    """Return 64 bits of BLAKE2 with a key of this process."""
    return int.from_bytes(hashlib.blake2b(content, digest_size=8, key=SEAL).digest(), "big", signed=True)


_SIPHASH = sys.hash_info.algorithm.startswith("siphash") and sys.hash_info.hash_bits == 64 and sys.flags.hash_randomization
fingerprint: Callable[[bytes], int] = hash if _SIPHASH else keyed  # where PYTHONHASHSEED fixes the key, it is no secret
if quick.fingerprint is not None:
    fingerprint = partial(quick.fingerprint, KEY)


class Place:
    """An uncompressed layer: its index, and where its bytes begin in a buffer. Small reads come from a window."""

    def __init__(self, index: LayerIndex, buffer: Buffer, start: int) -> None:
        self.index = index
        self.buffer = buffer
        self.start = start
        self._window = b""
        self._at = 0

    def content(self, row: int, skip: int, size: int) -> bytes:
        """Return part of a file's stored data."""
        where = self.start + self.index.offsets[row] + skip
        begin = where - self._at
        if begin < 0 or begin + size > len(self._window):
            if size > WINDOW:
                return self.buffer[where : where + size]
            near = 0 <= begin - len(self._window) < NEAR
            self._window, self._at, begin = self.buffer[where : where + (WINDOW if near else max(size, PIECE))], where, 0
        return self._window[begin : begin + size]

    def chunks(self, row: int, size: int, each: int = CHUNK) -> Iterator[bytes]:
        """Yield a file's stored data."""
        for skip in range(0, size, each):
            yield self.content(row, skip, min(each, size - skip))

    def digest(self, row: int) -> bytes:
        """Return the digest of a file's content."""
        size, fragments, hasher = self.index.sizes[row], self.index.sparse.get(row), best()[1]()
        if fragments is not None:
            return content_digest(hasher, fragments, size, self.chunks(row, sum(length for _, length in fragments)))
        for chunk in self.chunks(row, size):
            hasher.update(chunk)
        return hasher.digest()

    def fingerprint(self, row: int) -> int:
        """Return what files of one size share where they hold the same."""
        size = self.index.sizes[row]
        if size <= SMALL:
            return fingerprint(self.content(row, 0, size))
        return keyed(array("q", map(fingerprint, self.chunks(row, size, SMALL))).tobytes())


class Names:
    """The paths and the digests of an image's layers, each once: many layers repeat those of the ones before."""

    def __init__(self) -> None:
        self._paths: dict[bytes, bytes] = {}
        self._digests: dict[bytes, bytes] = {}

    def unite(self, index: LayerIndex) -> None:
        """Have what is equal to others' as one object with theirs, in a layer that passed once; another has no digests yet."""
        if not any(index.digests):
            return
        for column, known in ((index.paths, self._paths), (index.digests, self._digests)):
            column[:] = map(known.setdefault, column, column)


def mark_equal(indexes: Iterable[LayerIndex], places: Sequence[Place]) -> None:
    """Fill `digests` of the layers that lie in place; `indexes` are all layers of the image, each once.

    A token is a digest where files under different paths or of a layer that passed once may hold the same, else a
    number that only the copies of one path share. The fingerprints are of no use afterwards, and go; paths and kept contents
    that are equal become one object.
    """
    passed = {size for index in indexes for size in compress(index.sizes, index.digests)}
    large: dict[int, list[tuple[Place, int]]] = {}
    for place in places:
        index = place.index
        _hash_apart(place, passed)
        for row in compress(range(len(index)), map(not_, index.prints)):
            size = index.sizes[row]
            if not size or index.digests[row] or row in index.sparse:
                continue
            if size > SMALL:
                large.setdefault(size, []).append((place, row))
            else:
                index.prints[row] = place.fingerprint(row)
    for members in large.values():
        if len(members) > 1:
            _compare_large(members)
    (quick.name_equal or name_equal)(
        b"".join(place.index.prints for place in places),
        [(place.index.paths, place.index.digests, place.digest) for place in places],
    )
    contents: dict[bytes, bytes] = {}
    for index in indexes:
        del index.prints[:]
        for row, content in index.kept.items():
            if index.digests[row]:
                index.kept[row] = contents.setdefault(index.digests[row], content)


def _hash_apart(place: Place, passed: set[int]) -> None:
    """Take the digests of files that may equal what passed, and of sparse ones; they have no fingerprint any more."""
    index = place.index
    apart = set(index.sparse)
    if passed:
        apart.update(row for row, size in enumerate(index.sizes) if size in passed)
    for row in sorted(apart):
        index.prints[row] = 0
        if row not in index.sparse or index.sizes[row] <= SPARSE_HASHED:
            index.digests[row] = place.digest(row)


def _compare_large(members: Sequence[tuple[Place, int]]) -> None:
    """Give the large files of one size that hold the same one fingerprint.

    A chmod or chown copies whole trees: each is compared with what the layer below has under its path, which costs less
    than a fingerprint. Those are taken only if more than one content remains; else any number does that nobody can know.
    """
    latest: dict[bytes, list[tuple[Place, int]]] = {}
    sets: list[list[tuple[Place, int]]] = []
    for place, row in members:
        path = place.index.paths[row]
        before = latest.get(path)
        if before is not None and _same(*before[-1], place, row):
            before.append((place, row))
        else:
            latest[path] = new = [(place, row)]
            sets.append(new)
    for found in sets:
        place, row = found[0]
        mark = place.fingerprint(row) if len(sets) > 1 else int.from_bytes(os.urandom(8), signed=True)
        for place, row in found:
            place.index.prints[row] = mark


def _same(one: Place, row: int, other: Place, twin: int) -> bool:
    size = one.index.sizes[row]
    return all(a == b for a, b in zip(one.chunks(row, size), other.chunks(twin, size), strict=True))


def name_equal(prints: bytes, columns: Sequence[quick.Column]) -> None:
    """Give all rows that share a fingerprint one token.

    `prints` are those of all columns, which are paths, tokens, and what takes the digest of a row. Rows are numbered through;
    each stands with the first like it, whose path becomes one object with its own. (`runs.c` does the same.)
    """
    starts = list(accumulate((len(paths) for paths, _, _ in columns), initial=0))
    paths, tokens = [path for column in columns for path in column[0]], [token for column in columns for token in column[1]]
    numbers = array("q", prints)
    first: dict[int, int] = {}
    members = list(compress(range(len(numbers)), numbers))
    leaders = list(map(first.setdefault, compress(numbers, numbers), members))
    twin = list(map(ne, leaders, members))
    pairs = list(zip(compress(leaders, twin), compress(members, twin), strict=True))
    moved = {leader for leader, member in pairs if paths[leader] != paths[member]}
    for leader in sorted({leader for leader, _ in pairs}):
        tokens[leader] = leader.to_bytes(8)
        if leader in moved:
            number = bisect_right(starts, leader) - 1
            tokens[leader] = columns[number][2](leader - starts[number])
    for leader, member in pairs:
        tokens[member] = tokens[leader]
        if paths[leader] == paths[member]:
            paths[member] = paths[leader]
    for start, stop, column in zip(starts, starts[1:], columns, strict=False):
        column[0][:], column[1][:] = paths[start:stop], tokens[start:stop]
