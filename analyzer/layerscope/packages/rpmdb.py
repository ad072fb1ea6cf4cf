"""Which headers does an rpm database hold, whatever wrote it?

Three formats, told apart by what they begin with: SQLite (Fedora 33 and RHEL 9 on), ndb (SUSE), Berkeley DB's hash
(before that). Every page and every blob is used once, so that the work stays in proportion to the file.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from layerscope.packages import sqlite

if TYPE_CHECKING:
    from collections.abc import Iterator

_HASH_MAGIC = 0x00061561
_HASH_PAGES = frozenset({2, 13})
_OVERFLOW = 7
_INLINE, _OFFPAGE = 1, 3
_PAGE_HEAD = 26
_SMALLEST = 32
"""Bytes of a header with one entry; what is shorter is the database's own counter."""


def read_headers(content: bytes, log: bytes, problems: list[str]) -> list[bytes]:
    """Return the header blobs of a database; what cannot be followed is a problem. Raises ValueError."""
    if content.startswith(sqlite.MAGIC):
        rows = sqlite.query(content, "SELECT blob FROM Packages", log)
        return [blob for (blob,) in rows if isinstance(blob, bytes)]
    if content.startswith(b"RpmP"):
        return list(_ndb(content, problems))
    for order in "<>":
        if content[12:16] == struct.pack(order + "I", _HASH_MAGIC):
            return list(_berkeley(content, order, problems))
    raise ValueError("no rpm database that is known")


def _ndb(content: bytes, problems: list[str]) -> Iterator[bytes]:
    """Yield the blobs that the slots of an ndb file point to."""
    _, version, _, pages = struct.unpack_from("<4sIII", content.ljust(16, b"\0"))
    if version != 0:
        raise ValueError(f"ndb version {version}")
    room = len(content)
    for at in range(32, min(pages * 4096, len(content) - 15), 16):
        magic, number, block, _ = struct.unpack_from("<4sIII", content, at)
        if magic != b"Slot" or not number:
            continue
        start = 16 * block
        head = content[start : start + 16]
        if len(head) < 16 or head[:4] != b"BlbS" or struct.unpack_from("<I", head, 4)[0] != number:
            problems.append(f"package {number}: its slot leads nowhere")
            continue
        length: int = struct.unpack_from("<I", head, 12)[0]
        room -= length
        if room < 0 or start + 16 + length > len(content):
            problems.append(f"package {number}: claims {length:,} bytes")
            room += length
            continue
        yield content[start + 16 : start + 16 + length]


def _berkeley(content: bytes, order: str, problems: list[str]) -> Iterator[bytes]:
    """Yield the values of a Berkeley DB hash."""
    if len(content) < 512:
        raise ValueError("Berkeley DB: cut short")
    (size,) = struct.unpack_from(order + "I", content, 20)
    if content[24]:
        raise ValueError("Berkeley DB: encrypted")
    if content[25] != 8 or size < 512 or size > 65536 or size & (size - 1):
        raise ValueError("Berkeley DB: not a hash")
    used: set[int] = set()
    for start in range(size, len(content) - size + 1, size):
        if content[start + 25] not in _HASH_PAGES:
            continue
        (count,) = struct.unpack_from(order + "H", content, start + 20)
        if _PAGE_HEAD + 2 * count > size:
            problems.append(f"page {start // size}: more entries than it can hold")
            continue
        places = struct.unpack_from(f"{order}{count}H", content, start + _PAGE_HEAD)
        # Keys and values take turns; an item ends where the one before it begins.
        for at in range(1, count, 2):
            place, stop = places[at], places[at - 1]
            kind = content[start + place] if place < size else None
            if kind == _INLINE and stop - place > _SMALLEST:
                yield content[start + place + 1 : start + stop]
            elif kind == _OFFPAGE and place + 12 <= size:
                page, length = struct.unpack_from(order + "II", content, start + place + 4)
                blob = _overflow(content, order, size, page, length, used)
                if blob is None:
                    problems.append(f"page {start // size}: a package of {length:,} bytes cannot be followed")
                else:
                    yield blob


def _overflow(content: bytes, order: str, size: int, page: int, length: int, used: set[int]) -> bytes | None:
    """Return a value that lies in a chain of pages, None if the chain is cut, loops or belongs to another."""
    if length > len(content):
        return None
    pieces, left = [], length
    while page and left > 0:
        start = page * size
        if page in used or start + size > len(content) or content[start + 25] != _OVERFLOW:
            return None
        used.add(page)
        (following,) = struct.unpack_from(order + "I", content, start + 16)
        room = size - _PAGE_HEAD if following else struct.unpack_from(order + "H", content, start + 22)[0]
        room = min(room, left, size - _PAGE_HEAD)
        pieces.append(content[start + _PAGE_HEAD : start + _PAGE_HEAD + room])
        left -= room
        page = following
    return b"".join(pieces) if left == 0 else None
