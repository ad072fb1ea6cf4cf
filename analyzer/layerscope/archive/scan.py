"""What is in one layer's blob?"""

from __future__ import annotations

import hashlib
from array import array
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from typing import Protocol

from layerscope.archive.again import find_looks, held, in_place, in_stream, look_again, tar_of
from layerscope.archive.compression.ahead import ahead, pays
from layerscope.archive.compression.members import CHUNK, HEAD, decompress, detect, peek
from layerscope.archive.compression.toc import TAIL, Toc
from layerscope.archive.equal import Place
from layerscope.archive.feed import Buffer, Feed
from layerscope.archive.inspection import NOBODY, Inspectors, inspect_place
from layerscope.archive.limits import Limits
from layerscope.archive.notebook import Notebook
from layerscope.archive.objects import name_objects
from layerscope.archive.prints import PRINTS, Prints
from layerscope.archive.pull import Sampler
from layerscope.archive.shelf import END, LEAST, Shelf, scan_again
from layerscope.archive.tar.contents import Keep
from layerscope.archive.tar.reader import read_tar
from layerscope.errors import ArchiveError
from layerscope.frozen import frozen
from layerscope.model import Course, Lap, LayerIndex, Pull, untimed
from layerscope.regex import regex

STEP, FINE = 1 << 14, 1 << 22
HEX = regex(rb"[0-9a-f]{64,}")


class Moves(Protocol):
    """What is wanted that does not lie where it is looked for."""

    def usual(self, path: bytes, /) -> bytes | None:
        """Return where a file would be looked for, None for what nobody wants, or where it is."""


def no_moves(indexes: Iterable[LayerIndex]) -> Moves | None:  # noqa: ARG001
    """Take all to lie where it is looked for."""
    return None


@frozen
class Settings:
    """What a scan is asked for.

    Whose contents to keep, who looks into them, whether to hash blob and tar, how much is too much; `pull` says what to do
    about the pull size of uncompressed layers: "estimate", "exact" or "off". `prints` tells contents apart. What is found in
    compressed layers is kept on the `shelf`. `moves` tells of all layers what they have elsewhere, None for nothing.
    """

    limits: Limits
    keep: Keep
    inspectors: Inspectors = NOBODY
    verify: bool = False
    progress: Callable[[int], None] | None = None
    pull: str = "off"
    lap: Lap = untimed
    shelf: Shelf | None = None
    prints: Prints = PRINTS
    moves: Callable[[Iterable[LayerIndex]], Moves | None] = no_moves

    @property
    def hashes(self) -> bool:
        """Whether all bytes go through a cryptographic hash."""
        return self.verify or self.prints.method == "SHA-256"


@frozen
class Scan:
    """One blob as found.

    digest    what it hashes to if that was asked for
    pull      known of raw ones that passed
    flow      of a compressed one, how it goes with the tar inside
    recalled  it was not read: it was found before, in the same bytes
    """

    index: LayerIndex
    compression: str
    blob_bytes: int
    digest: str | None = None
    pull: Pull | None = None
    flow: Course | None = None
    recalled: bool = False


def chunks_of(buffer: Buffer, start: int, size: int) -> Iterator[bytes]:
    """Yield part of a buffer in chunks."""
    stop = min(start + size, len(buffer))
    for offset in range(start, stop, CHUNK):
        yield bytes(buffer[offset : min(offset + CHUNK, stop)])


def part_of(chunks: Iterator[bytes], start: int, size: int) -> Iterator[bytes]:
    """Yield a part of what passes; `ArchiveError` if it ends before."""
    at, end = 0, start + size
    for chunk in chunks if size else ():
        piece = chunk[max(0, start - at) : end - at]
        at += len(chunk)
        if piece:
            yield piece
        if at >= end:
            return
    if size:
        raise ArchiveError("the data end before the file does", id="C55", offset=at)


def algorithm_of(name: bytes) -> str:
    """Return the digest algorithm that a blob's name speaks of by its length (A41)."""
    found = HEX.search(name)
    return {96: "sha384", 128: "sha512"}.get(len(found[0]) if found else 64, "sha256")


def scan_place(buffer: Buffer, start: int, size: int, settings: Settings, algorithm: str = "sha256") -> Scan:
    """Scan a blob that lies in a buffer; an uncompressed one is read in place."""
    if detect(buffer[start : start + min(size, 6)]) != "none":
        stop = min(start + size, len(buffer))
        tail = buffer[max(start, stop - TAIL) : stop]
        chunks = partial(chunks_of, buffer, start, size)
        once = partial(scan_stream, settings=settings, algorithm=algorithm, early=pays(size, hashed=settings.hashes), tail=tail)

        def scan(passing: Iterator[bytes]) -> Scan:
            return look_twice(once(passing), settings, chunks)

        if settings.shelf is None or size < LEAST:
            return scan(chunks())
        ends = (size, buffer[start : start + END], buffer[stop - END : stop])
        return scan_again(settings.shelf, settings, algorithm, ends, chunks, scan)
    diff_id = None
    if settings.verify:
        tap = Tap(chunks_of(buffer, start, size), hashed=algorithm)
        for _ in tap:
            pass
        diff_id = tap.digest
    inspectors, rows = settings.inspectors, list[int]()
    feed = Feed.over(buffer, start, size)
    index = read_tar(
        feed, limits=settings.limits, keep=settings.keep, inspectors=inspectors, shown=rows, prints=settings.prints
    )
    index = look_into(index, rows, Place(index, buffer, start), settings)
    if settings.progress is not None:
        settings.progress(size)
    return Scan(replace(index, diff_id=diff_id), "none", size, diff_id)


def look_into(index: LayerIndex, rows: list[int], place: Place, settings: Settings) -> LayerIndex:
    """Return the index of a layer that lies in place, its files named and looked into; `rows` are those that may be wanted."""
    name_objects(index)
    if index.renamed:
        rows = sorted({*rows, *(row for row in index.renamed if index.sizes[row])})
    inspectors, limits = settings.inspectors, settings.limits
    notes = inspect_place(place.buffer, place.start, index, rows, inspectors, limits)
    looks = find_looks(index, settings.keep, inspectors, placed=True)
    again = look_again(index, looks, partial(in_place, place), inspectors, limits, limits.kept_bytes - held(index))
    return replace(index, notes=(*index.notes, *notes.freeze(), *again.freeze()))


def look_twice(scan: Scan, settings: Settings, chunks: Callable[[], Iterator[bytes]], room: int | None = None) -> Scan:
    """Return what was found in a blob that passed, and what was not found since its name was not known yet.

    `chunks` gives the blob again, or raises an `ArchiveError`. `room` is how many more bytes may be kept; by default the limit
    is this blob's.
    """
    index, inspectors, limits = scan.index, settings.inspectors, settings.limits
    looks = find_looks(index, settings.keep, inspectors, placed=False)
    if not looks:
        return scan

    def fetch(rows: Sequence[int]) -> Iterator[tuple[int, Iterator[bytes]]]:
        return in_stream(tar_of(chunks(), limits), index, rows)

    again = look_again(index, looks, fetch, inspectors, limits, limits.kept_bytes - held(index) if room is None else room)
    return replace(scan, index=replace(index, notes=(*index.notes, *again.freeze())))


def scan_stream(
    chunks: Iterator[bytes],
    settings: Settings,
    algorithm: str = "sha256",
    sampler: Callable[[Iterator[bytes]], Sampler] | None = None,
    *,
    early: bool = False,
    tail: bytes | None = None,
) -> Scan:
    """Scan a blob that passes once; `sampler` looks at one that is not compressed.

    With `early` a thread decompresses: nobody else may ask the chunks for bytes meanwhile.
    `tail` is how the blob ends, if that can be known before.
    """
    outer = Tap(chunks, hashed=algorithm if settings.verify else None, progress=settings.progress)
    head, blob = peek(outer)
    compression = detect(head)
    notes = Notebook()
    gauge = Gauge(blob)
    toc = Toc(settings.limits, settings.keep, tail) if compression in ("gzip", "zstd") else None  # lazy pulling is of these
    inner = gauge.inner = Peek(decompress(blob if compression == "none" else gauge, compression, settings.limits, notes, toc))
    tap = Tap(inner, hashed=algorithm) if settings.verify and compression != "none" else None
    sampled = sampler(inner) if sampler is not None and compression == "none" else None
    passing = tap or sampled or inner
    index = read_tar(
        Feed.of(ahead(passing) if early and compression != "none" else passing),
        limits=settings.limits,
        keep=settings.keep if toc is None else toc.keep,
        inspectors=settings.inspectors,
        toc=toc,
        prints=settings.prints,
    )
    if toc is not None:
        toc.compare(index, notes)
    name_objects(index)
    for _ in outer:  # after damage: the blob is measured to its end
        pass
    if compression != "none" and not len(index) and (inside := detect(inner.head)) != "none":
        notes.fail("D11", f"compressed twice: the {inside} data inside the {compression} data are not read", offset=0)
    diff_id = (tap or outer).digest
    index = replace(index, diff_id=diff_id, notes=(*index.notes, *notes.freeze()))
    flow = None if compression == "none" else gauge.course(index.tar_bytes, outer.size)
    return Scan(index, compression, outer.size, outer.digest, sampled.pull if sampled else None, flow)


class Peek:
    """An iterator of chunks that counts them and remembers how they began."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks = chunks
        self.head = b""
        self.size = 0

    def __iter__(self) -> Peek:
        return self

    def __next__(self) -> bytes:
        chunk = next(self._chunks)
        self.size += len(chunk)
        if len(self.head) < HEAD:
            self.head += chunk[:HEAD]
        return chunk


class Gauge:
    """An iterator of compressed chunks that notes, whenever one is wanted, how much came out of those before.

    The first ones are cut up, so that a small layer has several notes.
    """

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks = chunks
        self._rest = b""
        self._size = 0
        self._raw, self._sent = array("q", [0]), array("d", [0.0])
        self.inner: Peek | None = None

    def __iter__(self) -> Gauge:
        return self

    def __next__(self) -> bytes:
        if self.inner is not None and self.inner.size > self._raw[-1]:
            self._raw.append(self.inner.size)
            self._sent.append(self._size)
        chunk = self._rest or next(self._chunks)
        self._rest = b""
        if self._size < FINE and len(chunk) > STEP:
            chunk, self._rest = chunk[:STEP], chunk[STEP:]
        self._size += len(chunk)
        return chunk

    def course(self, raw: int, sent: int) -> Course:
        """Return how far the compressed bytes had got; `raw` and `sent` are the ends of both."""
        if raw > self._raw[-1]:
            self._raw.append(raw)
            self._sent.append(sent)
        return Course(self._raw, self._sent)


class Tap:
    """An iterator of chunks that counts, and hashes if it is told by which algorithm, what passes."""

    def __init__(
        self, chunks: Iterator[bytes], *, hashed: str | None = None, progress: Callable[[int], None] | None = None
    ) -> None:
        self._chunks = chunks
        self._algorithm = hashed
        self._hash = hashlib.new(hashed) if hashed else None
        self._progress = progress
        self.size = 0

    def __iter__(self) -> Tap:
        return self

    def __next__(self) -> bytes:
        chunk = next(self._chunks)
        self.size += len(chunk)
        if self._hash is not None:
            self._hash.update(chunk)
        if self._progress is not None:
            self._progress(len(chunk))
        return chunk

    @property
    def digest(self) -> str | None:
        """Digest of what has passed, None if it was not hashed."""
        return None if self._hash is None else f"{self._algorithm}:{self._hash.digest().hex()}"
