"""Where do the next bytes come from? One buffer over a file or over chunks that pass once."""

from __future__ import annotations

from collections.abc import Iterator

from layerscope.archive.openfile import OpenFile
from layerscope.archive.tar.header import BLOCK
from layerscope.errors import ArchiveError

Buffer = bytes | OpenFile
ENDLESS = 1 << 63
PIECE = 1 << 20
NEXT = 1 << 17
AWAY = 1 << 13


class Feed:
    """A window on a stream of bytes: `buffer[position:end]` is what can be had without asking for more.

    A reader copies the three into locals, works on them, and hands `position` back when it calls a method. `base + position`
    is the offset in the stream. `total` is the stream's length where all of it lies in a file or in memory: there `position`
    may be moved behind `end`, and nothing in between is read. `error` is what ended a stream of chunks early.
    """

    def __init__(self, source: Buffer | None, start: int, total: int, chunks: Iterator[bytes]) -> None:
        self.buffer = b""
        self.position = self.end = self.base = 0
        self.total = total
        self.error: ArchiveError | None = None
        self._source = source
        self._start = start
        self._chunks = chunks
        self._waiting = b""  # a chunk of which the buffer has the beginning, behind `_lead` bytes of those before
        self._lead = 0

    @classmethod
    def over(cls, buffer: Buffer, start: int, size: int) -> Feed:
        """Make a feed over part of a file, or of bytes in memory."""
        return cls(buffer, start, max(min(size, len(buffer) - start), 0), iter(()))

    @classmethod
    def of(cls, chunks: Iterator[bytes]) -> Feed:
        """Make a feed over chunks."""
        return cls(None, 0, ENDLESS, chunks)

    @property
    def in_place(self) -> bool:
        """Whether all bytes stay where they are, so that contents can be looked at later."""
        return self._source is not None

    @property
    def offset(self) -> int:
        """Offset in the stream."""
        return self.base + self.position

    def _next(self) -> bytes:
        try:
            return next(self._chunks, b"")
        except ArchiveError as error:
            self.error = error
            self._chunks = iter(())
            return b""

    def _load(self, size: int) -> None:
        """Read at most `size` bytes from the position on into the buffer."""
        assert self._source is not None
        offset = min(self.base + self.position, self.total)
        where = self._start + offset
        self.buffer = self._source[where : where + min(size, self.total - offset)]
        self.base, self.position, self.end = offset, 0, len(self.buffer)

    def more(self, need: int) -> bool:
        """Get at least `need` bytes into the buffer; say whether that many are there."""
        if self._waiting and self.position >= self._lead:
            self._step()
        have = self.end - self.position
        if have >= need:
            return True
        if self._source is not None:
            # Small entries follow each other; behind a large file little is wanted.
            self._load(max(need, NEXT if have >= 0 else AWAY))
            return self.end >= need
        waiting, self._waiting = self._waiting, b""
        left = self.buffer[self.position : self._lead if waiting else self.end]
        pieces, have = [left] if left else [], len(left)
        while have < need and (chunk := waiting or self._next()):
            waiting = b""
            if have and len(chunk) > need - have:  # the rest of it is read where it lies
                self._waiting, self._lead = chunk, have
                chunk = chunk[: need - have]
            pieces.append(chunk)
            have += len(chunk)
        self.base += self.position
        self.buffer, self.position, self.end = b"".join(pieces), 0, have
        return have >= need

    def _step(self) -> None:
        """Go on in the chunk that waits: all before it was used."""
        self.base += self._lead
        self.position -= self._lead
        self.buffer, self.end, self._waiting = self._waiting, len(self._waiting), b""

    def pieces(self, size: int) -> Iterator[bytes]:
        """Yield the next `size` bytes in pieces and move behind them; fewer at the end of the stream."""
        left = size
        while left:
            have = min(self.end - self.position, left)
            if have > 0:
                piece = self.buffer[self.position : self.position + have]
                self.position += have
                left -= have
                yield piece
            elif self._source is not None:
                self._load(min(left, PIECE))
                if not self.end:
                    return
            elif self._waiting:
                self._step()
            else:
                chunk = self._next()
                if not chunk:
                    return
                self.base += self.position
                self.buffer, self.position, self.end = chunk, 0, len(chunk)

    def skip(self, size: int) -> int:
        """Move behind the next `size` bytes; return how many there were."""
        if self._source is None:
            return sum(len(piece) for piece in self.pieces(size))
        have = min(self.total - self.offset, size)
        self.position += have
        return have

    def block(self) -> bytes:
        """Return the next 512 bytes; fewer at the end of the stream."""
        self.more(BLOCK)
        block = self.buffer[self.position : min(self.position + BLOCK, self.end)]
        self.position += len(block)
        return block
