"""Which files hold the same content? Marks rows of one image with tokens that are equal exactly where contents are.

A layer that passed once brings SHA-256 digests along. Files that lie in place are compared byte by byte: first with what an
earlier layer has under the same path (a chmod or chown copies whole trees), then with each other, where size and a checksum of
what lies in them agree. Most are never read, and none is hashed unless it has a twin under another path.
"""

from __future__ import annotations

import hashlib
import zlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from importlib import import_module

from layerscope.archive.feed import Buffer
from layerscope.archive.sparse import SPARSE_HASHED, content_digest
from layerscope.model import Kind, LayerIndex

FILE = int(Kind.FILE)
SAMPLE = 1 << 14
PIECE = 1 << 12
WINDOW = 1 << 16
NEAR = 1 << 13  # so near to what was read last, reading on pays
CHUNK = 1 << 20
LEADERS = 8
ROWS = 40  # bits of a member that tell its row; the rest tell its place

crc32: Callable[[bytes, int], int] = zlib.crc32
with suppress(ImportError):  # no wheel for this platform
    crc32 = import_module("isal.isal_zlib").crc32


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
        """Return the SHA-256 of a file's content."""
        size, fragments = self.index.sizes[row], self.index.sparse.get(row)
        if fragments is not None:
            return content_digest(fragments, size, self.chunks(row, sum(length for _, length in fragments)))
        hasher = hashlib.sha256()
        for chunk in self.chunks(row, size):
            hasher.update(chunk)
        return hasher.digest()

    def checksum(self, row: int, size: int) -> int:
        """Return a number that files of equal content share: of a large file, of three pieces of it."""
        if size <= SAMPLE:
            return crc32(self.content(row, 0, size), 0)
        head = crc32(self.content(row, 0, PIECE), 0)
        middle = crc32(self.content(row, size // 2, PIECE), head)
        return crc32(self.content(row, size - PIECE, PIECE), middle)


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
    del counts[0]
    rows = Rows(places, {size for size, count in counts.items() if count > 1}, passed)
    classes = Classes(places)
    classes.join_paths(rows)
    classes.join_others(rows)
    classes.name()


class Rows:
    """The rows that may have a twin, those that must be hashed for that left out and hashed."""

    def __init__(self, places: Sequence[Place], shared: set[int], passed: set[int]) -> None:
        self.members: list[int] = []
        for number, place in enumerate(places):
            index = place.index
            base = number << ROWS
            for row, size in enumerate(index.sizes):
                if size in shared:
                    if row in index.sparse or size in passed:
                        if row not in index.sparse or size <= SPARSE_HASHED:
                            index.digests[row] = place.digest(row)
                    else:
                        self.members.append(base | row)


class Classes:
    """Sets of rows that hold the same bytes: `leader` of a member that has one, `followers` of a leader."""

    def __init__(self, places: Sequence[Place]) -> None:
        self.places = places
        self.leader: dict[int, int] = {}
        self.followers: dict[int, list[int]] = {}

    def _of(self, member: int) -> tuple[Place, int]:
        return self.places[member >> ROWS], member & ((1 << ROWS) - 1)

    def _join(self, leader: int, member: int) -> None:
        self.leader[member] = leader
        self.followers.setdefault(leader, []).append(member)

    def join_paths(self, rows: Rows) -> None:
        """Compare each file with what the nearest earlier layer has under its path."""
        latest: dict[bytes, int] = {}
        get = latest.get
        for member in rows.members:
            place, row = self.places[member >> ROWS], member & ((1 << ROWS) - 1)
            path = place.index.paths[row]
            earlier = get(path)
            latest[path] = member
            if earlier is not None and self._same(earlier, member):
                self._join(self.leader.get(earlier, earlier), member)

    def join_others(self, rows: Rows) -> None:
        """Compare the rest with each other, where size and checksum agree."""
        leader = self.leader
        rest = [member for member in rows.members if member not in leader]
        sizes = [self._of(member)[0].index.sizes[self._of(member)[1]] for member in rest]
        counts = Counter(sizes)
        buckets: dict[int, list[int]] = {}
        first: dict[int, int] = {}
        for member, size in zip(rest, sizes, strict=True):
            if counts[size] > 1:
                place, row = self._of(member)
                key = size << 32 | place.checksum(row, size)
                other = first.setdefault(key, member)
                if other != member:
                    buckets.setdefault(key, [other]).append(member)
        for bucket in buckets.values():
            self._part(bucket)

    def _part(self, bucket: list[int]) -> None:
        """Join the members of a bucket that are equal."""
        leaders: list[int] = []
        for number, member in enumerate(bucket):
            for leader in leaders:
                if self._same(leader, member):
                    self._merge(leader, member)
                    break
            else:
                leaders.append(member)
                if len(leaders) > LEADERS:  # somebody made checksums meet: hash instead of comparing each with each
                    self._part_by_digest([*leaders, *bucket[number + 1 :]])
                    return

    def _part_by_digest(self, members: list[int]) -> None:
        found: dict[bytes, int] = {}
        for member in members:
            place, row = self._of(member)
            leader = found.setdefault(place.digest(row), member)
            if leader != member:
                self._merge(leader, member)

    def _merge(self, leader: int, member: int) -> None:
        for follower in self.followers.pop(member, ()):
            self._join(leader, follower)
        self._join(leader, member)

    def _same(self, one: int, other: int) -> bool:
        """Whether two rows hold the same bytes."""
        (here, row), (there, twin) = self._of(one), self._of(other)
        size = here.index.sizes[row]
        if size != there.index.sizes[twin]:
            return False
        if size <= CHUNK:
            return here.content(row, 0, size) == there.content(twin, 0, size)
        return all(a == b for a, b in zip(here.chunks(row, size), there.chunks(twin, size), strict=True))

    def name(self) -> None:
        """Give the rows of each set one token."""
        for leader, followers in self.followers.items():
            place, row = self._of(leader)
            path = place.index.paths[row]
            token = leader.to_bytes(8, "big")
            for follower in followers:
                there, twin = self._of(follower)
                if there.index.paths[twin] != path:
                    token = place.digest(row)
                    break
            place.index.digests[row] = token
            for follower in followers:
                there, twin = self._of(follower)
                there.index.digests[twin] = token
