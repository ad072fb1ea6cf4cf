"""What is in a zstd stream? Frames are cut by our own reading of their headers (RFC 8878 section 3.1), inflated by zstandard.

Cutting at block boundaries bounds what one call can give back (a block is at most 128 KiB), tells a cut stream from an ended
one, and gives exact offsets; `zstandard` alone does none of the three.
"""

from __future__ import annotations

from collections.abc import Iterator

import zstandard

from layerscope.archive.limits import Limits
from layerscope.archive.notebook import Notebook
from layerscope.archive.toc import Toc
from layerscope.errors import ArchiveError, LimitError

MAGIC = b"\x28\xb5\x2f\xfd"
BLOCKS_PER_CALL = 8


class Input:
    """A buffer over chunks, of which the front can be taken."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks = chunks
        self._buffer = b""
        self._start = 0
        self.offset = 0

    def peek(self, size: int, skip: int = 0) -> bytes:
        """Return `size` bytes that lie `skip` bytes ahead; fewer at the end of the input."""
        while len(self._buffer) - self._start < skip + size:
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
        while size and (data := self.take(min(size, max(len(self._buffer) - self._start, 1)))):
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
    header = 5 + (not single) + (0, 1, 2, 4)[flags & 3] + ((1 if single else 0), 2, 4, 8)[flags >> 6]
    head = source.peek(header)
    if len(head) < header:
        raise _cut(source)
    if single:  # the window is the content
        width = (1, 2, 4, 8)[flags >> 6]
        window = int.from_bytes(head[-width:], "little") + (256 if width == 2 else 0)
    else:
        exponent, mantissa = head[5] >> 3, head[5] & 7
        window = (1 << (10 + exponent)) * (8 + mantissa) // 8
    if window > limits.window_bytes:
        raise LimitError(f"a zstd frame asks for a window of {window} bytes", limit="window_bytes", offset=start)
    inner = zstandard.ZstdDecompressor(max_window_size=limits.window_bytes).decompressobj()
    pending = [source.take(header)]
    last = False
    while not last:
        block = source.peek(3)
        if len(block) < 3:
            raise _cut(source)
        word = int.from_bytes(block, "little")
        last, kind, size = bool(word & 1), word >> 1 & 3, word >> 3
        if kind == 3 or (kind != 1 and size > 1 << 17):
            raise ArchiveError("damaged zstd data: a block of an unknown kind", id="D04", offset=source.offset)
        size = 3 + (1 if kind == 1 else size) + (4 if last and flags & 4 else 0)
        data = source.take(size)
        pending.append(data)
        if len(data) < size:
            raise _cut(source)
        if last or len(pending) >= BLOCKS_PER_CALL:
            try:
                output = inner.decompress(b"".join(pending))
            except zstandard.ZstdError as error:
                raise ArchiveError(f"damaged zstd data: {error}", id="D04", offset=start) from error
            pending.clear()
            if output:
                yield output
