"""Which files hold the same content? Marks rows of one image with tokens that are equal exactly where contents are.

A layer that passed once brings SHA-256 digests along. Files that lie in place are told apart by size, then by a checksum of
what lies in them, then byte by byte: most are never read whole, and none is hashed unless it has a twin under another path.
"""

from __future__ import annotations

import hashlib
import zlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from importlib import import_module

from layerscope.archive.feed import Buffer
from layerscope.archive.sparse import SPARSE_HASHED, content_digest
from layerscope.model import Kind, LayerIndex

FILE = int(Kind.FILE)
SAMPLE = 1 << 14
PIECE = 1 << 12
CHUNK = 1 << 20
LEADERS = 8

crc32: Callable[[bytes, int], int] = zlib.crc32
with suppress(ImportError):  # no wheel for this platform
    crc32 = import_module("isal.isal_zlib").crc32


@dataclass(frozen=True, slots=True)
class Place:
    """An uncompressed layer: its index, and where its bytes begin in a buffer."""

    index: LayerIndex
    buffer: Buffer
    start: int

    def content(self, row: int, skip: int, size: int) -> bytes:
        """Return part of a file's stored data."""
        where = self.start + self.index.offsets[row] + skip
        return self.buffer[where : where + size]

    def chunks(self, row: int, size: int) -> Iterator[bytes]:
        """Yield a file's stored data."""
        for skip in range(0, size, CHUNK):
            yield self.content(row, skip, min(CHUNK, size - skip))

    def digest(self, row: int) -> bytes:
        """Return the SHA-256 of a file's content."""
        hasher = hashlib.sha256()
        for chunk in self.chunks(row, self.index.sizes[row]):
            hasher.update(chunk)
        return hasher.digest()


def mark_equal(indexes: Iterable[LayerIndex], places: Sequence[Place]) -> None:
    """Fill `digests` of the layers that lie in place; `indexes` are all layers of the image, each once.

    A token is a SHA-256 digest where files under different paths or of a layer that passed once may hold the same, else a
    number that only the copies of one path share.
    """
    counts: Counter[int] = Counter()
    passed: set[int] = set()
    for index in indexes:
        counts.update(index.sizes)
        passed.update(index.sizes[row] for row in index.digests)
    shared = {size for size, count in counts.items() if count > 1 and size}
    buckets: dict[int, int | list[int]] = {}
    for number, place in enumerate(places):
        _sort_into(buckets, number, place, shared, passed)
    for bucket in buckets.values():
        if isinstance(bucket, list):
            for equal in _classes(bucket, places):
                _name(equal, places)


def _sort_into(buckets: dict[int, int | list[int]], number: int, place: Place, shared: set[int], passed: set[int]) -> None:
    """Put each row that may have a twin into the bucket of its size and checksum."""
    index, buffer, start = place.index, place.buffer, place.start
    kinds, offsets, sparse = index.kinds, index.offsets, index.sparse
    for row, size in enumerate(index.sizes):
        if size not in shared or kinds[row] != FILE:
            continue
        if row in sparse:
            if size <= SPARSE_HASHED:
                stored = sum(length for _, length in sparse[row])
                index.digests[row] = content_digest(sparse[row], size, place.chunks(row, stored))
            continue
        if size in passed:
            index.digests[row] = place.digest(row)
            continue
        if size <= SAMPLE:
            where = start + offsets[row]
            key = size << 32 | crc32(buffer[where : where + size], 0)
        else:
            head = crc32(place.content(row, 0, PIECE), 0)
            middle = crc32(place.content(row, size // 2, PIECE), head)
            key = size << 32 | crc32(place.content(row, size - PIECE, PIECE), middle)
        other = buckets.setdefault(key, row << 16 | number)
        if isinstance(other, list):
            other.append(row << 16 | number)
        elif other != row << 16 | number:
            buckets[key] = [other, row << 16 | number]


def _classes(bucket: list[int], places: Sequence[Place]) -> Iterator[list[int]]:
    """Yield the sets of two and more rows of a bucket that hold the same bytes."""
    classes: list[list[int]] = []
    for number, member in enumerate(bucket):
        for known in classes:
            if _same(known[0], member, places):
                known.append(member)
                break
        else:
            classes.append([member])
            if len(classes) > LEADERS:  # somebody made checksums meet: hash instead of comparing each with each
                yield from _by_digest([*(one for known in classes for one in known), *bucket[number + 1 :]], places)
                return
    yield from (known for known in classes if len(known) > 1)


def _by_digest(members: list[int], places: Sequence[Place]) -> Iterator[list[int]]:
    found: dict[bytes, list[int]] = {}
    for member in members:
        found.setdefault(places[member & 0xFFFF].digest(member >> 16), []).append(member)
    yield from (equal for equal in found.values() if len(equal) > 1)


def _same(one: int, other: int, places: Sequence[Place]) -> bool:
    """Whether two rows of one size hold the same bytes."""
    here, there = places[one & 0xFFFF], places[other & 0xFFFF]
    row, twin = one >> 16, other >> 16
    size = here.index.sizes[row]
    if size <= CHUNK:
        return here.content(row, 0, size) == there.content(twin, 0, size)
    return all(a == b for a, b in zip(here.chunks(row, size), there.chunks(twin, size), strict=True))


def _name(equal: list[int], places: Sequence[Place]) -> None:
    """Give the rows of a set one token."""
    first = equal[0]
    path = places[first & 0xFFFF].index.paths[first >> 16]
    if all(places[member & 0xFFFF].index.paths[member >> 16] == path for member in equal):
        token = first.to_bytes(8, "big")
    else:
        token = places[first & 0xFFFF].digest(first >> 16)
    for member in equal:
        places[member & 0xFFFF].index.digests[member >> 16] = token
