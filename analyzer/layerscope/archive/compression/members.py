"""How is it compressed, and what is inside? Decided by magic bytes: names and media types lie (D10).

Every decompressor takes an iterator of chunks and yields chunks of bounded size, in constant memory. It reads all members
of a gzip file (D01, RFC 1952 section 2.2) and all frames of a zstd one (D07, RFC 8878 section 3). Damage raises an
`ArchiveError` with the offset in the compressed bytes; what came before it has been yielded.
"""

from __future__ import annotations

import bz2
import lzma
import zlib
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from importlib import import_module
from typing import Any, Protocol

from layerscope.archive.compression.remnant import Remnant
from layerscope.archive.compression.toc import Toc
from layerscope.archive.limits import MIB, Limits
from layerscope.archive.notebook import Notebook
from layerscope.errors import ArchiveError, LimitError

CHUNK = 256 * 1024
OUTPUT = 256 * 1024
NO_OUTPUT = 4 * MIB

fast: Any = None
with suppress(ImportError):  # no wheel for this platform
    fast = import_module("isal.igzip_lib")
INFLATE_ERRORS: tuple[type[Exception], ...] = (zlib.error,) if fast is None else (zlib.error, fast.error)


class Decompressor(Protocol):
    """One member of a stream, as `bz2` and `lzma` shape it."""

    @property
    def eof(self) -> bool:
        """Whether the member's end was reached."""

    @property
    def needs_input(self) -> bool:
        """Whether all input so far is used up."""

    @property
    def unused_data(self) -> bytes:
        """Input behind the member's end."""

    def decompress(self, data: bytes, max_length: int = -1) -> bytes:
        """Return at most `max_length` bytes."""


class Inflate:
    """A gzip member behind the interface of `bz2.BZ2Decompressor`, by the standard library."""

    def __init__(self) -> None:
        self._inner = zlib.decompressobj(31)

    @property
    def eof(self) -> bool:
        """Whether the member's end was reached."""
        return self._inner.eof

    @property
    def needs_input(self) -> bool:
        """Whether all input so far is used up."""
        return not self._inner.unconsumed_tail and not self._inner.eof

    @property
    def unused_data(self) -> bytes:
        """Input behind the member's end."""
        return self._inner.unused_data

    def decompress(self, data: bytes, max_length: int = -1) -> bytes:
        """Return at most `max_length` bytes; call with b"" for more while `needs_input` is false."""
        return self._inner.decompress(self._inner.unconsumed_tail + data, max_length)


def _inflate(head: bytes) -> Decompressor:
    # isal misreads a header of several optional fields (RFC 1952, FLG) that comes in pieces.
    if fast is None or head[3:4] not in (b"\x00", b"\x04", b"\x08", b"\x10"):
        return Inflate()
    made: Decompressor = fast.IgzipDecompressor(flag=fast.DECOMP_GZIP)
    return made


MEMBERS: dict[str, Callable[[bytes], Decompressor]] = {
    "gzip": _inflate,
    "bzip2": lambda _: bz2.BZ2Decompressor(),
    "xz": lambda _: lzma.LZMADecompressor(),
}
HEAD = 6  # enough to know a magic by
STEP = 4096


def detect(head: bytes) -> str:
    """Return "gzip", "zstd", "bzip2", "xz" or "none" by the first bytes (6 are enough)."""
    if head[:2] == b"\x1f\x8b":
        return "gzip"
    if head[:4] == b"\x28\xb5\x2f\xfd" or (head[1:4] == b"\x2a\x4d\x18" and 0x50 <= head[0] <= 0x5F):
        return "zstd"
    if head[:3] == b"BZh" and head[3:4].isdigit():
        return "bzip2"
    if head[:6] == b"\xfd7zXZ\x00":
        return "xz"
    return "none"


def peek(chunks: Iterator[bytes], least: int = HEAD) -> tuple[bytes, Iterator[bytes]]:
    """Return how chunks begin, at least so many bytes if there are that many, and all of them."""
    head = next(chunks, b"")
    while 0 < len(head) < least and (more := next(chunks, b"")):
        head += more
    return head, rejoin(head, chunks)


def rejoin(head: bytes, rest: Iterator[bytes]) -> Iterator[bytes]:
    """Yield what was taken off to be looked at, if that was anything, and the rest."""
    if head:
        yield head
    yield from rest


def decompress(
    chunks: Iterator[bytes], compression: str, limits: Limits, notes: Notebook, toc: Toc | None = None
) -> Iterator[bytes]:
    """Yield the uncompressed bytes; `compression` is what `detect` said, `toc` takes what a zstd stream says beside them."""
    if compression == "none":
        return chunks
    meter = Meter(chunks)
    if compression == "zstd":
        from layerscope.archive.compression.zstd import frames

        inside = frames(meter, limits, notes, toc)
    else:
        inside = _members(meter, MEMBERS[compression], compression, notes)
    return _capped(inside, meter, limits)


class Meter:
    """An iterator of chunks that counts what went through."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks = chunks
        self.consumed = 0

    def __iter__(self) -> Meter:
        return self

    def __next__(self) -> bytes:
        chunk = next(self._chunks)
        self.consumed += len(chunk)
        return chunk


def _members(meter: Meter, make: Callable[[bytes], Decompressor], name: str, notes: Notebook) -> Iterator[bytes]:
    """Yield what is in all members, one after the other."""
    errors: tuple[type[Exception], ...] = (*INFLATE_ERRORS, lzma.LZMAError, OSError, EOFError, ValueError)
    buffer, at = b"", 0  # what is not yet used is buffer[at:]
    position = 0
    first = True
    while True:
        while len(buffer) - at < HEAD and (more := next(meter, b"")):
            buffer, at = buffer[at:] + more, 0
        if at == len(buffer):
            return
        skipped = 0
        if not first and name == "xz":
            buffer, at, skipped = _past_padding(buffer, at, meter)
        head = buffer[at : at + HEAD]
        if not first and detect(head) != name:
            rest, dirty = skipped + len(buffer) - at, bool(buffer[at:].strip(b"\0"))
            for more in meter:
                rest, dirty = rest + len(more), dirty or bool(more.strip(b"\0"))
            if dirty:  # else it is tape padding (D02)
                notes.warn("D03", f"{rest} bytes after the end of the {name} data were not read", offset=position)
            return
        position += skipped
        member, remnant = make(head), Remnant()
        silent, start = 0, position
        # A member may be tiny (D05): feed little at first, so that little is given back.
        step = 1024
        while not member.eof:
            data = b""
            if member.needs_input:
                if at == len(buffer):
                    buffer, at = next(meter, b""), 0
                    if not buffer:
                        raise ArchiveError(f"the {name} data end in the middle", id="D04", offset=position)
                data = buffer[at : at + step]
                at += len(data)
                step = min(step * 4, CHUNK)
                remnant.take(data)
            try:
                output = member.decompress(data, OUTPUT)
            except errors as error:
                yield from remnant.again(partial(_all, make(head)), errors)
                offset = start + remnant.taken if remnant.taken else position
                raise ArchiveError(f"damaged {name} data: {error}", id="D04", offset=offset) from error
            position += len(data)
            remnant.given += len(output)
            silent = 0 if output else silent + len(data)
            if silent > NO_OUTPUT:
                raise ArchiveError(f"{silent} bytes of {name} data hold nothing", id="D06", offset=position)
            if output:
                yield output
        unused = len(member.unused_data)
        position -= unused
        at -= unused
        first = False


def _past_padding(buffer: bytes, at: int, meter: Meter) -> tuple[bytes, int, int]:
    """Pass over the zeros that may stand between streams of xz, four by four (xz-file-format.txt, 2.2); tell how many."""
    skipped = 0
    while buffer[at : at + 4] == bytes(4):
        piece = buffer[at : at + STEP]
        zeros = len(piece) - len(piece.lstrip(b"\0")) & -4
        at, skipped = at + zeros, skipped + zeros
        while len(buffer) - at < HEAD and (more := next(meter, b"")):
            buffer, at = buffer[at:] + more, 0
    return buffer, at, skipped


def _all(member: Decompressor, data: bytes) -> bytes:
    """Return all that comes of some input."""
    pieces = [member.decompress(data, OUTPUT)]
    while not (member.needs_input or member.eof):
        pieces.append(member.decompress(b"", OUTPUT))
    return b"".join(pieces)


def _capped(chunks: Iterator[bytes], meter: Meter, limits: Limits) -> Iterator[bytes]:
    """Stop a bomb (D13): cap the ratio and the size of what comes out."""
    size = 0
    for chunk in chunks:
        size += len(chunk)
        if size > limits.layer_bytes:
            raise LimitError(f"more than {limits.layer_bytes} bytes come out", limit="layer_bytes", offset=size)
        if size > 64 * MIB and size > limits.ratio * max(meter.consumed, 1):
            raise LimitError(f"{meter.consumed} compressed bytes became more than {size}", limit="ratio", offset=size)
        yield chunk
