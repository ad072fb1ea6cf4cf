"""What would a registry send for a layer that is stored uncompressed? What `gzip -6` makes of it: counted, or sampled.

A sample is a block of 16 KiB, compressed behind the 32 KiB before it, which is all that gzip looks back on. Blocks are evenly
spaced, so that every part of the layer speaks. Most are compressed by a quick compressor only; those that gzip's compresses as
well tell by which factor the two differ: what blocks shrink to varies widely, the factor hardly (double sampling with a ratio
estimator: Cochran, Sampling Techniques, chapter 12). Both spreads tell how far off the sum may be.
"""

from __future__ import annotations

import math
import zlib
from array import array
from collections.abc import Iterator, Sequence
from contextlib import suppress
from importlib import import_module
from typing import Any, Protocol

from layerscope.archive.feed import Buffer
from layerscope.frozen import frozen
from layerscope.model import Course, Pull

QUICK: Any = zlib
"""What has a quick compressor; ISA-L's needs a quarter of the time that the first level of zlib's does."""
with suppress(ImportError):
    QUICK = import_module("isal.isal_zlib")

BLOCK, WINDOW = 1 << 14, 1 << 15
SMALL = 8_000_000
"""Layers below are counted, not sampled,"""
COUNTED = 4 * SMALL
"""as long as all of them together are no more than this."""
BLOCKS, FEWEST = 1024, 120
"""Blocks for all layers of an image, and for one at least;"""
EVERY = 10
"""of so many, gzip's compressor sees one."""
CUT = 5 / BLOCK
"""What cutting may cost: the header of a block that does not shrink."""
SPACING = 1 << 22
"""Bytes from block to block where a layer passes and its size is not known."""
FRAME = 18
CHUNK = 1 << 15
MODES = ("estimate", "exact", "off")


@frozen
class Place:
    """An uncompressed layer within a buffer."""

    buffer: Buffer
    start: int
    size: int


def price(places: Sequence[Place], mode: str) -> list[Pull | None]:
    """Return what each layer would cost to pull."""
    if mode == "off":
        return [None for _ in places]
    counted = set(range(len(places))) if mode == "exact" else choose_counted([place.size for place in places])
    sampled = [place.size for number, place in enumerate(places) if number not in counted]
    whole = sum(map(math.sqrt, sampled))
    return [
        count(_chunks(place))
        if number in counted
        else sample(place, max(FEWEST, round(BLOCKS * math.sqrt(place.size) / whole)))
        for number, place in enumerate(places)
    ]


def choose_counted(sizes: Sequence[int]) -> set[int]:
    """Return which layers are small enough to be compressed whole."""
    chosen, total = set(), 0
    for number in sorted(range(len(sizes)), key=lambda number: sizes[number]):
        total += sizes[number]
        if sizes[number] >= SMALL or total > COUNTED:
            break
        chosen.add(number)
    return chosen


def count(chunks: Iterator[bytes]) -> Pull:
    """Compress everything and return how much it makes."""
    counter = Counter()
    for chunk in chunks:
        counter.take(chunk)
    return counter.pull


def sample(place: Place, blocks: int) -> Pull:
    """Compress blocks evenly spaced over a layer."""
    blocks = min(blocks, place.size // BLOCK)
    step = place.size / blocks
    samples = Samples()
    for number in range(blocks):
        at = place.start + int(step * number + (step - BLOCK) / 2)
        samples.take(place.buffer[max(place.start, at - WINDOW) : at], place.buffer[at : at + BLOCK])
    return samples.sum_up(step, place.size)


class Samples:
    """How far blocks of one layer shrink; every `every`th as gzip's compressor tells."""

    def __init__(self, every: int = EVERY) -> None:
        self._every = every
        self._quick: list[float] = []
        self._both: list[tuple[float, float]] = []

    def __len__(self) -> int:
        return len(self._quick)

    def take(self, window: bytes, block: bytes) -> None:
        """Take the next block, and what stands before it."""
        quick = _ratio(QUICK.compressobj(1, zlib.DEFLATED, -15, zdict=window), block)
        if len(self) % self._every == 0 or len(self) == 1:
            self._both.append((quick, _ratio(zlib.compressobj(6, zlib.DEFLATED, -15, zdict=window), block)))
        self._quick.append(quick)

    def sum_up(self, step: float, size: int) -> Pull:
        """Return the estimate for a layer of which one block was taken every `step` bytes; its range is two standard errors."""
        factor = sum(gzip for _, gzip in self._both) / sum(quick for quick, _ in self._both)
        ratios = [factor * quick for quick in self._quick]
        mean = sum(ratios) / len(ratios)
        count, seen = len(ratios), len(self._both)
        between = sum((one - mean) ** 2 for one in ratios) / max(1, count - 1)
        within = sum((gzip - factor * quick) ** 2 for quick, gzip in self._both) / max(1, seen - 1)
        half = 2 * math.sqrt(between / count + within / seen * (1 - seen / count)) + CUT
        low, high = max(0.0, mean - half), mean + half
        mid = int(mean * size) + FRAME
        return Pull(int(low * size) + FRAME, mid, math.ceil(high * size) + FRAME, "sampled", _course(ratios, step, size))


class _Packer(Protocol):
    def compress(self, data: bytes, /) -> bytes: ...
    def flush(self) -> bytes: ...


def _ratio(packer: _Packer, block: bytes) -> float:
    return (len(packer.compress(block)) + len(packer.flush())) / len(block)


def _course(ratios: Sequence[float], step: float, size: int) -> Course:
    """Return how the bytes add up if each part of a layer shrinks as its sample did."""
    raw, sent = array("q", [0]), array("d", [0.0])
    for number, one in enumerate(ratios, 1):
        end = size if number == len(ratios) else int(number * step)
        sent.append(sent[-1] + one * (end - raw[-1]))
        raw.append(end)
    return Course(raw, sent)


class Counter:
    """Compresses all that it takes, and counts."""

    def __init__(self) -> None:
        self._packer = zlib.compressobj(6, zlib.DEFLATED, -15)
        self._raw, self._sent = array("q", [0]), array("d", [0.0])
        self._taken, self._packed = 0, FRAME

    def take(self, chunk: bytes) -> None:
        """Compress a chunk."""
        packed = len(self._packer.compress(chunk))
        self._taken += len(chunk)
        self._packed += packed
        if packed:  # a block of gzip's is complete: about here it ends
            self._raw.append(self._taken)
            self._sent.append(self._packed)

    @property
    def pull(self) -> Pull:
        """What it made so far."""
        size = self._packed + len(self._packer.copy().flush())
        course = Course(array("q", [*self._raw, self._taken]), array("d", [*self._sent, size]))
        return Pull(size, size, size, "counted", course)


class Sampler:
    """Counts a layer that passes once, or takes samples of it."""

    def __init__(self, chunks: Iterator[bytes], size: int | None, *, counted: bool) -> None:
        """`size` is the layer's if it is known."""
        self._chunks = chunks
        self._counter = Counter() if counted else None
        self._step = SPACING if size is None else max(2 * WINDOW, size // BLOCKS)
        self._next = self._step // 2
        self._part = bytearray()
        self._samples = Samples(1 if size is None else EVERY)
        self._offset = 0

    def __iter__(self) -> Sampler:
        return self

    def __next__(self) -> bytes:
        chunk = next(self._chunks)
        self._take(chunk)
        self._offset += len(chunk)
        return chunk

    @property
    def pull(self) -> Pull | None:
        """The estimate, once everything has passed."""
        if self._counter is not None:
            return self._counter.pull
        return self._samples.sum_up(self._step, self._offset) if len(self._samples) > 1 else None

    def _take(self, chunk: bytes) -> None:
        if self._counter is not None:
            self._counter.take(chunk)
            return
        end = self._offset + len(chunk)
        while end > self._next - WINDOW:
            wanted = self._next + BLOCK
            begin = self._next - WINDOW + len(self._part)
            self._part += chunk[max(0, begin - self._offset) : max(0, wanted - self._offset)]
            if end < wanted:
                return
            self._samples.take(bytes(self._part[:WINDOW]), bytes(self._part[WINDOW:]))
            self._part.clear()
            self._next += self._step


def _chunks(place: Place) -> Iterator[bytes]:
    stop = place.start + place.size
    for at in range(place.start, stop, CHUNK):
        yield bytes(place.buffer[at : min(at + CHUNK, stop)])
