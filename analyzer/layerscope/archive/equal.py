"""Which files hold the same content? Marks rows of one image with tokens that are equal exactly where contents are.

A layer that passed once brings digests along. Of files that lie in place a fingerprint is taken, of small ones while
their layer is read: a keyed hash whose key no writer of an image can know, as dictionaries of untrusted words use it. Two
different contents share it once in 2^64 times. What may have a twin under another path gets its digest as well.
"""

from __future__ import annotations

import hashlib
import os
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence

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
ROWS = 40  # bits of a member that tell its row; the rest tell its place
ROW = (1 << ROWS) - 1
_KEY = os.urandom(32)


def keyed(content: bytes) -> int:
    """Return 64 bits of BLAKE2 with a key of this process."""
    return int.from_bytes(hashlib.blake2b(content, digest_size=8, key=_KEY).digest(), "big", signed=True)


_SIPHASH = sys.hash_info.algorithm.startswith("siphash") and sys.hash_info.hash_bits == 64 and sys.flags.hash_randomization
fingerprint: Callable[[bytes], int] = hash if _SIPHASH else keyed  # where PYTHONHASHSEED fixes the key, it is no secret


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

    def chunks(self, row: int, size: int) -> Iterator[bytes]:
        """Yield a file's stored data."""
        for skip in range(0, size, CHUNK):
            yield self.content(row, skip, min(CHUNK, size - skip))

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
        return fingerprint(b"".join(fingerprint(chunk).to_bytes(8, "big", signed=True) for chunk in self.chunks(row, size)))


def mark_equal(indexes: Iterable[LayerIndex], places: Sequence[Place]) -> None:
    """Fill `digests` of the layers that lie in place; `indexes` are all layers of the image, each once.

    A token is a digest where files under different paths or of a layer that passed once may hold the same, else a
    number that only the copies of one path share. The fingerprints are of no use afterwards, and go.
    """
    counts: Counter[int] = Counter()
    passed: set[int] = set()
    for index in indexes:
        counts.update(index.sizes)
        passed.update(index.sizes[row] for row in index.digests)
    del counts[0]
    shared = {size for size, count in counts.items() if count > 1}
    _name(places, list(_find_twins(places, shared, passed)))
    for place in places:
        del place.index.prints[:]


def _find_twins(places: Sequence[Place], shared: set[int], passed: set[int]) -> Iterator[list[int]]:
    """Yield the sets of rows that hold the same; those that must be compared with what passed are hashed and left out."""
    first: dict[int, int] = {}
    twins: dict[int, list[int]] = {}
    large: dict[int, list[int]] = {}
    lead = first.setdefault
    for number, place in enumerate(places):
        index = place.index
        sparse = index.sparse
        for member, (size, print_) in enumerate(zip(index.sizes, index.prints, strict=True), number << ROWS):
            if size not in shared:
                continue
            if size > SMALL or size in passed or sparse:
                row = member & ROW
                if row in sparse or size in passed:
                    if row not in sparse or size <= SPARSE_HASHED:
                        index.digests[row] = place.digest(row)
                    continue
                if size > SMALL:
                    large.setdefault(size, []).append(member)
                    continue
            leader = lead(print_ or place.fingerprint(member & ROW), member)
            if leader != member:
                twins.setdefault(leader, [leader]).append(member)
    yield from twins.values()
    for members in large.values():
        yield from _find_large_twins(places, members)


def _find_large_twins(places: Sequence[Place], members: list[int]) -> Iterator[list[int]]:
    """Yield the sets of large files of one size that hold the same.

    A chmod or chown copies whole trees: each is compared with what the layer below has under its path, which costs less
    than a fingerprint. Those are taken only if more than one content remains.
    """
    latest: dict[bytes, list[int]] = {}
    sets: list[list[int]] = []
    for member in members:
        place, row = _of(places, member)
        before = latest.get(place.index.paths[row])
        if before is not None and _same(*_of(places, before[-1]), place, row):
            before.append(member)
        else:
            latest[place.index.paths[row]] = new = [member]
            sets.append(new)
    by_print: dict[int, list[int]] = {}
    for found in sets:
        place, row = _of(places, found[0])
        by_print.setdefault(place.fingerprint(row) if len(sets) > 1 else 0, []).extend(found)
    return (found for found in by_print.values() if len(found) > 1)


def _same(one: Place, row: int, other: Place, twin: int) -> bool:
    size = one.index.sizes[row]
    return all(a == b for a, b in zip(one.chunks(row, size), other.chunks(twin, size), strict=True))


def _of(places: Sequence[Place], member: int) -> tuple[Place, int]:
    return places[member >> ROWS], member & ROW


def _name(places: Sequence[Place], sets: Iterable[list[int]]) -> None:
    """Give the rows of each set one token."""
    paths, digests = [place.index.paths for place in places], [place.index.digests for place in places]
    for members in sets:
        leader = members[0]
        path = paths[leader >> ROWS][leader & ROW]
        for member in members:
            if paths[member >> ROWS][member & ROW] != path:
                token = places[leader >> ROWS].digest(leader & ROW)
                break
        else:
            token = leader.to_bytes(8, "big")
        for member in members:
            digests[member >> ROWS][member & ROW] = token
