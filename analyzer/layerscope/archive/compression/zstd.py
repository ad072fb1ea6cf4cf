"""What is in a zstd stream? Frames are cut by our own reading of their headers (RFC 8878 section 3.1), inflated by zstandard.

Cutting at block boundaries tells a cut stream from an ended one and gives exact offsets, which `zstandard` alone does not; it
writes straight into chunks of a size that is given, so that nothing is copied and no call gives back more.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import IO, cast

import zstandard

from layerscope.archive.compression.remnant import Remnant
from layerscope.archive.compression.toc import Toc
from layerscope.archive.limits import Limits
from layerscope.archive.notebook import Notebook
from layerscope.errors import ArchiveError, LimitError

MAGIC = b"\x28\xb5\x2f\xfd"
OUTPUT = 256 * 1024
BLOCK, LEAST = 1 << 17, 2
"""Bytes of a block at most, and of one that is compressed at least."""


class Input:
    """A buffer over chunks, of which the front can be taken."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks = chunks
        self._buffer = b""
        self._start = 0
        self.offset = 0

    @property
    def at_hand(self) -> int:
        """How many bytes can be had without asking for more."""
        return len(self._buffer) - self._start

    def peek(self, size: int, skip: int = 0) -> bytes:
        """Return `size` bytes that lie `skip` bytes ahead; fewer at the end of the input."""
        while self.at_hand < skip + size:
            chunk = next(self._chunks, b"")
            if not chunk:
                break
            self._buffer = self._buffer[self._start :] + chunk
            self._start = 0
        return self._buffer[self._start + skip : self._start + skip + size]

    def take(self, size: int) -> bytes:
        """Return `size` bytes and move behind them; fewer at the end of the input."""
        data = self.peek(size)
        self._start += len(data)
        self.offset += len(data)
        return data

    def pieces(self, size: int) -> Iterator[bytes]:
        """Yield `size` bytes as they come; fewer at the end of the input."""
        while size and (data := self.take(min(size, max(self.at_hand, 1)))):
            size -= len(data)
            yield data


def frames(chunks: Iterator[bytes], limits: Limits, notes: Notebook, toc: Toc | None = None) -> Iterator[bytes]:
    """Yield what is in all frames; skippable ones are passed over (D07), which `toc` may want to see (C48)."""
    source = Input(chunks)
    while magic := source.peek(4):
        if len(magic) == 4 and magic[1:] == b"\x2a\x4d\x18" and 0x50 <= magic[0] <= 0x5F:
            size = int.from_bytes(source.take(8)[4:], "little")
            if toc is not None and size <= toc.room:
                start, data = source.offset, b"".join(source.pieces(size))
                passed = len(data)
                toc.take_frame(start, data)
            else:
                passed = sum(map(len, source.pieces(size)))
            if passed < size:
                raise _cut(source)
        elif magic == MAGIC:
            yield from _frame(source, limits)
        else:
            start = source.offset
            size = 0
            dirty = False
            while data := source.take(1 << 16):
                size += len(data)
                dirty = dirty or bool(data.strip(b"\0"))
            if dirty:
                notes.warn("D03", f"{size} bytes after the end of the zstd data were not read", offset=start)
            return


def _cut(source: Input) -> ArchiveError:
    return ArchiveError("the zstd data end in the middle of a frame", id="D04", offset=source.offset)


def _frame(source: Input, limits: Limits) -> Iterator[bytes]:
    start = source.offset
    descriptor = source.peek(1, 4)
    if not descriptor:
        raise _cut(source)
    flags = descriptor[0]
    single = bool(flags & 0x20)
    width = (1 if single else 0, 2, 4, 8)[flags >> 6]
    header = 5 + (not single) + (0, 1, 2, 4)[flags & 3] + width
    head = source.peek(header)
    if len(head) < header:
        raise _cut(source)
    content = int.from_bytes(head[header - width :], "little") + (256 if width == 2 else 0) if width else None
    if single:  # the window is the content
        assert content is not None
        window = content
    else:
        exponent, mantissa = head[5] >> 3, head[5] & 7
        window = (1 << (10 + exponent)) * (8 + mantissa) // 8
    if window > limits.window_bytes:
        raise LimitError(f"a zstd frame asks for a window of {window} bytes", limit="window_bytes", offset=start)
    blocks = Blocks(source, header, summed=bool(flags & 4))
    decompressor = zstandard.ZstdDecompressor(max_window_size=limits.window_bytes)
    reader = decompressor.stream_reader(cast("IO[bytes]", blocks))
    output, remnant, damaged = None, blocks.remnant, "damaged zstd data"
    while output is None or len(output) == OUTPUT:
        try:
            output = reader.read(OUTPUT)
        except zstandard.ZstdError as error:
            yield from remnant.again(decompressor.decompressobj().decompress, (zstandard.ZstdError,))
            raise ArchiveError(f"{damaged}: {error}", id="D04", offset=start + remnant.taken) from error
        if output:
            remnant.given += len(output)
            yield output
    del reader  # with it the error would keep itself alive, unseen by the collector
    if blocks.error is not None:
        raise blocks.error
    if content not in (None, remnant.given):  # zstandard itself sees it or not, by how the pieces come
        raise ArchiveError(f"{damaged}: {remnant.given:,} bytes where the frame says {content:,}", id="D04", offset=start)


class Blocks:
    """The blocks of one frame, behind its header, as a file that is read. What ends it early is kept in `error`, not raised."""

    def __init__(self, source: Input, header: int, *, summed: bool) -> None:
        self._source = source
        self._owed = header  # bytes up to the next block
        self._summed = summed
        self._last = self._began = False
        self.error: ArchiveError | None = None
        self.remnant = Remnant()

    def read(self, _size: int = -1, /) -> bytes:
        """Return what is at hand of the frame, one byte at least; nothing at its end.

        The header comes alone: of a frame that it has whole libzstd does not look at everything.
        """
        source = self._source
        source.peek(1)
        began, self._began = self._began, True
        while began and self._owed < source.at_hand and not self._last and self.error is None:
            self._look()
        data = source.take(min(self._owed, source.at_hand))
        self._owed -= len(data)
        self.remnant.take(data)
        if self.error is None and not data and not (self._last and not self._owed):
            self.error = _cut(source)
        return data

    def _look(self) -> None:
        """Look at the next block's header."""
        word = self._source.peek(3, self._owed)
        bits = int.from_bytes(word, "little")
        last, kind, size = bool(bits & 1), bits >> 1 & 3, bits >> 3
        if len(word) < 3:
            self.error = _cut(self._source)
        elif kind == 3 or (kind != 1 and size > BLOCK) or (kind == 2 and size < LEAST):
            message = "damaged zstd data: a block that cannot be"
            self.error = ArchiveError(message, id="D04", offset=self._source.offset + self._owed)
        else:
            self._owed += 3 + (1 if kind == 1 else size) + (4 if last and self._summed else 0)
            self._last = last
