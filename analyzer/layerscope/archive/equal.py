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
from bisect import bisect_left, bisect_right
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
KEY = os.urandom(SMALL + 64)


def keyed(content: bytes) -> int:
    """Return 64 bits of BLAKE2 with a key of this process."""
    return int.from_bytes(hashlib.blake2b(content, digest_size=8, key=KEY[:32]).digest(), "big", signed=True)


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
        found = 0
        for chunk in self.chunks(row, size, SMALL - 8):
            found = fingerprint(found.to_bytes(8, signed=True) + chunk)
        return found


def mark_equal(indexes: Iterable[LayerIndex], places: Sequence[Place]) -> None:
    """Fill `digests` of the layers that lie in place; `indexes` are all layers of the image, each once.

    A token is a digest where files under different paths or of a layer that passed once may hold the same, else a
    number that only the copies of one path share. The fingerprints are of no use afterwards, and go.
    """
    passed = {size for index in indexes for size in compress(index.sizes, index.digests)}
    twins = Twins(places)
    first: dict[int, int] = {}
    large: dict[int, list[int]] = {}
    for number, (place, start) in enumerate(zip(places, twins.starts, strict=False)):
        index, prints = place.index, place.index.prints
        _hash_apart(place, passed)
        members = list(compress(range(start, start + len(index)), prints))
        twins.join(number, list(map(first.setdefault, compress(prints, prints), members)), members)
        for row in compress(range(len(index)), map(not_, prints)):
            size = index.sizes[row]
            if not size or index.digests[row] or row in index.sparse:
                continue
            if size > SMALL:
                large.setdefault(size, []).append(start + row)
            else:
                twins.join(number, [first.setdefault(place.fingerprint(row), start + row)], [start + row])
        del prints[:]
    for members in large.values():
        if len(members) > 1:
            _compare_large(twins, members)
    twins.name()


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


class Twins:
    """Which rows of several layers hold the same? Rows are numbered through; each is joined with the first like it."""

    def __init__(self, places: Sequence[Place]) -> None:
        self.places = places
        self.starts = list(accumulate((len(place.index) for place in places), initial=0))
        self.paths = [path for place in places for path in place.index.paths]
        self._pairs = [(array("q"), array("q")) for _ in places]

    def number(self, member: int) -> int:
        """Return in which place a row is."""
        return bisect_right(self.starts, member) - 1

    def at(self, member: int) -> tuple[Place, int]:
        """Return where a row is."""
        number = self.number(member)
        return self.places[number], member - self.starts[number]

    def join(self, number: int, leaders: Sequence[int], members: Sequence[int]) -> None:
        """Take it that each of some rows of one place holds what its leader does; itself perhaps."""
        twin = list(map(ne, leaders, members))
        for column, rows in zip(self._pairs[number], (leaders, members), strict=True):
            column.extend(compress(rows, twin))

    def name(self) -> None:
        """Give all that hold the same one token."""
        paths = self.paths
        moved = {leader for pairs in self._pairs for leader, twin in zip(*pairs, strict=True) if paths[leader] != paths[twin]}
        leading = sorted({leader for leaders, _ in self._pairs for leader in leaders})
        tokens = {leader: leader.to_bytes(8) for leader in leading}
        for leader in sorted(moved):
            place, row = self.at(leader)
            tokens[leader] = place.digest(row)
        for place, start, stop, (leaders, twins) in zip(self.places, self.starts, self.starts[1:], self._pairs, strict=False):
            mine = leading[bisect_left(leading, start) : bisect_left(leading, stop)]
            digests = place.index.digests
            for named, rows in ((mine, mine), (leaders, twins)):
                for row, token in zip(rows, map(tokens.__getitem__, named), strict=True):
                    digests[row - start] = token


def _compare_large(twins: Twins, members: Sequence[int]) -> None:
    """Join the large files of one size that hold the same.

    A chmod or chown copies whole trees: each is compared with what the layer below has under its path, which costs less
    than a fingerprint. Those are taken only if more than one content remains.
    """
    latest: dict[bytes, list[int]] = {}
    sets: list[list[int]] = []
    for member in members:
        path = twins.paths[member]
        before = latest.get(path)
        if before is not None and _same(*twins.at(before[-1]), *twins.at(member)):
            before.append(member)
        else:
            latest[path] = new = [member]
            sets.append(new)
    first: dict[int, int] = {}
    for found in sets:
        place, row = twins.at(found[0])
        leader = first.setdefault(place.fingerprint(row) if len(sets) > 1 else 0, found[0])
        for member in found:
            twins.join(twins.number(member), [leader], [member])


def _same(one: Place, row: int, other: Place, twin: int) -> bool:
    size = one.index.sizes[row]
    return all(a == b for a, b in zip(one.chunks(row, size), other.chunks(twin, size), strict=True))
