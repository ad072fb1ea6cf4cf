"""Where do the next bytes come from? One buffer over a file or over chunks that pass once."""

from __future__ import annotations

from collections.abc import Iterator

from layerscope.archive.header import BLOCK
from layerscope.archive.openfile import OpenFile
from layerscope.errors import ArchiveError

Buffer = bytes | OpenFile


class Feed:
    """A window on a stream of bytes: `buffer[position:end]` is what can be had without asking for more.

    A reader copies the three into locals, works on them, and hands `position` back when it calls a method. `base + position`
    is the offset in the stream. `error` is what ended a stream of chunks early.
    """

    def __init__(self, buffer: Buffer, position: int, end: int, chunks: Iterator[bytes] | None) -> None:
        self.buffer = buffer
        self.position = position
        self.end = end
        self.base = -position
        self.error: ArchiveError | None = None
        self._chunks = chunks

    @classmethod
    def over(cls, buffer: Buffer, start: int, size: int) -> Feed:
        """Make a feed over part of a buffer; nothing is copied."""
        return cls(buffer, start, min(start + size, len(buffer)), None)

    @classmethod
    def of(cls, chunks: Iterator[bytes]) -> Feed:
        """Make a feed over chunks."""
        return cls(b"", 0, 0, chunks)

    @property
    def in_place(self) -> bool:
        """Whether all bytes lie in the buffer, so that contents can be looked at later."""
        return self._chunks is None

    @property
    def offset(self) -> int:
        """Offset in the stream."""
        return self.base + self.position

    def _next(self) -> bytes:
        if self._chunks is None:
            return b""
        try:
            return next(self._chunks, b"")
        except ArchiveError as error:
            self.error = error
            self._chunks = iter(())
            return b""

    def more(self, need: int) -> bool:
        """Get at least `need` bytes into the buffer; say whether that many are there."""
        have = self.end - self.position
        if have >= need:
            return True
        if self._chunks is None:
            return False
        pieces = [bytes(self.buffer[self.position : self.end])]
        while have < need and (chunk := self._next()):
            pieces.append(chunk)
            have += len(chunk)
        self.base += self.position
        self.buffer, self.position, self.end = b"".join(pieces), 0, have
        return have >= need

    def pieces(self, size: int) -> Iterator[bytes]:
        """Yield the next `size` bytes in pieces and move behind them; fewer at the end of the stream."""
        left = size
        while left:
            have = min(self.end - self.position, left)
            if have:
                if self._chunks is None:
                    have = min(have, 1 << 20)
                piece = bytes(self.buffer[self.position : self.position + have])
                self.position += have
                left -= have
                yield piece
            else:
                chunk = self._next()
                if not chunk:
                    return
                self.base += self.position
                self.buffer, self.position, self.end = chunk, 0, len(chunk)

    def skip(self, size: int) -> int:
        """Move behind the next `size` bytes; return how many there were."""
        if self._chunks is None:
            have = min(self.end - self.position, size)
            self.position += have
            return have
        return sum(len(piece) for piece in self.pieces(size))

    def block(self) -> bytes:
        """Return the next 512 bytes; fewer at the end of the stream."""
        self.more(BLOCK)
        block = bytes(self.buffer[self.position : min(self.position + BLOCK, self.end)])
        self.position += len(block)
        return block
