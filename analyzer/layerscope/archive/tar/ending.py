"""How does a tar end, and what stands behind its end?"""

from __future__ import annotations

from layerscope.archive.compression.toc import STARGZ, Toc
from layerscope.archive.feed import Feed
from layerscope.archive.notebook import Notebook
from layerscope.archive.tar.header import BLOCK, ZERO, HeaderError
from layerscope.errors import ArchiveError

EROFS = b"\xe2\xe1\xf5\xe0"  # at byte 1,024


def end_without_blocks(notes: Notebook, rest: int, pending: int) -> None:
    """Judge a stream that ends where a header could stand; no end blocks are no defect (C51)."""
    if rest:
        raise ArchiveError(f"the tar ends in the middle of a header ({rest} bytes of 512)", id="C55")
    _tell_dangling(notes, pending)


def end_at_block(feed: Feed, notes: Notebook, start: int, pending: int) -> None:
    """Judge what follows a zero block: another one, or the end of the stream."""
    _tell_dangling(notes, pending)
    second = feed.block()
    if second and second != ZERO:
        if len(second) < BLOCK:
            raise ArchiveError("the tar ends in the middle of its end blocks", id="C55", offset=start + BLOCK)
        raise HeaderError("data follow a single zero block, where many readers stop", id="C52", offset=start)


def _tell_dangling(notes: Notebook, pending: int) -> None:
    if pending >= 0:
        notes.warn("C64", "an extension header without the entry it speaks of", offset=pending)


def read_rest(feed: Feed, notes: Notebook, *, empty: bool, toc: Toc | None = None) -> None:
    """Read what stands behind the end, and tell if it is more than zeros (C53).

    `empty`: no entry was read. `toc` takes a table of contents, if that is what stands there.
    """
    first = -1
    block = b""  # the one that the first octet other than zero stands in
    table: list[bytes] = []  # what follows it, if it begins a table of contents
    room = toc.room if toc is not None else 0
    offset = feed.offset
    for piece in feed.pieces(1 << 62):
        offset += len(piece)
        rest = piece if first >= 0 else piece.lstrip(b"\0")
        if first < 0 and rest:
            first = offset - len(rest)
            block = bytes(first % BLOCK)
        if first >= 0 and len(block) < BLOCK:
            missing = BLOCK - len(block)
            block, rest = block + rest[:missing], rest[missing:]
        if room > 0 and rest and block.startswith(STARGZ):
            table.append(rest)
            room -= len(rest)
    if first < 0:
        return
    if empty and first == 2 * BLOCK and block.startswith(EROFS):
        notes.fail("A57", "not a tar: it is an EROFS file system", offset=first)
    elif block[:100].rstrip(b"\0") == STARGZ:
        notes.info("C47", "an eStargz table of contents stands after the end blocks", offset=first)
        if toc is not None:
            digits = block[124:135]
            toc.entry = b"".join(table)[: int(digits, 8) if digits and not digits.strip(b"01234567") else 0]
    else:
        notes.warn("C53", f"{offset - first:,} bytes after the end of the tar, which no runtime unpacks", offset=first)
