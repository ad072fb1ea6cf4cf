"""What would a registry send for a layer that is stored uncompressed? What `gzip -6` makes of it: counted, or sampled.

A sample is a block of 16 KiB, compressed behind the 32 KiB before it, which is all that gzip looks back on. Blocks are evenly
spaced, so that every part of the layer speaks; their spread tells how far off the sum may be.
"""

from __future__ import annotations

import math
import zlib
from array import array
from collections.abc import Iterator, Sequence

from layerscope.archive.feed import Buffer
from layerscope.frozen import frozen
from layerscope.model import Course, Pull

BLOCK, WINDOW = 1 << 14, 1 << 15
SMALL = 8_000_000
"""Layers below are counted, not sampled,"""
COUNTED = 4 * SMALL
"""as long as all of them together are no more than this."""
BLOCKS, FEWEST = 512, 96
"""Blocks for all layers of an image, and for one at least."""
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
    ratios = []
    for number in range(blocks):
        at = place.start + int(step * number + (step - BLOCK) / 2)
        ratios.append(ratio(place.buffer[max(place.start, at - WINDOW) : at], place.buffer[at : at + BLOCK]))
    return summed(ratios, step, place.size)


def ratio(window: bytes, block: bytes) -> float:
    """Return how far a block shrinks behind what stands before it."""
    packer = zlib.compressobj(6, zlib.DEFLATED, -15, zdict=window) if window else zlib.compressobj(6, zlib.DEFLATED, -15)
    return (len(packer.compress(block)) + len(packer.flush())) / len(block)


def summed(ratios: Sequence[float], step: float, size: int) -> Pull:
    """Return the estimate that samples give, one every `step` bytes, with a range of two standard errors."""
    mean = sum(ratios) / len(ratios)
    spread = math.sqrt(sum((one - mean) ** 2 for one in ratios) / max(1, len(ratios) - 1))
    half = 2 * spread / math.sqrt(len(ratios))
    low, high = max(0.0, mean - half), mean + half
    mid = int(mean * size) + FRAME
    return Pull(int(low * size) + FRAME, mid, math.ceil(high * size) + FRAME, "sampled", _course(ratios, step, size))


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
        self._ratios: list[float] = []
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
        return summed(self._ratios, self._step, self._offset) if len(self._ratios) > 1 else None

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
            self._ratios.append(ratio(bytes(self._part[:WINDOW]), bytes(self._part[WINDOW:])))
            self._part.clear()
            self._next += self._step


def _chunks(place: Place) -> Iterator[bytes]:
    stop = place.start + place.size
    for at in range(place.start, stop, CHUNK):
        yield bytes(place.buffer[at : min(at + CHUNK, stop)])
