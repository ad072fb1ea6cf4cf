"""What does a zip archive hold, within limits?

Only what is asked for is unpacked. Zip bombs run into three caps: entries, bytes of one file, bytes of all.
"""

from __future__ import annotations

import struct
import zlib

from layerscope.archive.inspection import Content
from layerscope.frozen import frozen

MAX_ENTRIES = 200_000
MAX_FILE = 64 << 20
MAX_TOTAL = 512 << 20

_END = b"PK\5\6"
_CENTRAL = b"PK\1\2"
_LOCAL = b"PK\3\4"
_STORED, _DEFLATED = 0, 8


@frozen
class Member:
    """One file of an archive; `size` is what the archive claims."""

    name: bytes
    method: int
    packed: int
    size: int
    offset: int


class Allowance:
    """How much may still be unpacked; shared by an archive and those inside it."""

    __slots__ = ("left",)

    def __init__(self, left: int = MAX_TOTAL) -> None:
        self.left = left


def members(content: Content) -> list[Member]:
    """Return the files that the central directory lists. Raises ValueError if there is none."""
    tail_at = max(0, len(content) - 65_557)
    tail = content[tail_at : len(content)]
    end = tail.rfind(_END)
    if end < 0 or end + 22 > len(tail):
        raise ValueError("no zip archive")
    count, size, offset = struct.unpack_from("<10xHII", tail, end)
    # An archive may stand behind something else (a start script): offsets count from where it begins.
    start = tail_at + end - size
    shift = start - offset
    if start < 0 or shift < 0:
        raise ValueError("the central directory is not where it should be")
    directory = content[start : start + min(size, MAX_FILE)]
    found: list[Member] = []
    at = 0
    while directory[at : at + 4] == _CENTRAL and at + 46 <= len(directory) and len(found) < MAX_ENTRIES:
        method, packed, plain = struct.unpack_from("<10xH8xII", directory, at)
        name, extra, comment = struct.unpack_from("<28xHHH", directory, at)
        (place,) = struct.unpack_from("<42xI", directory, at)
        found.append(Member(directory[at + 46 : at + 46 + name], method, packed, plain, place + shift))
        at += 46 + name + extra + comment
    if len(found) < min(count, MAX_ENTRIES):
        raise ValueError("the central directory is cut short")
    return found


def unpack(content: Content, member: Member, allowance: Allowance, limit: int = MAX_FILE) -> bytes:
    """Return a member's content. Raises ValueError for what is damaged, too large, or packed in an unknown way."""
    head = content[member.offset : member.offset + 30]
    if head[:4] != _LOCAL or len(head) < 30:
        raise ValueError("a member is not where it should be")
    name, extra = struct.unpack_from("<26xHH", head)
    start = member.offset + 30 + name + extra
    limit = min(limit, allowance.left)
    if max(member.size, member.packed) > limit:
        raise ValueError("a member is too large")
    packed = content[start : start + member.packed]
    if len(packed) < member.packed:
        raise ValueError("a member is cut short")
    if member.method == _STORED:
        allowance.left -= len(packed)
        return packed
    if member.method != _DEFLATED:
        raise ValueError(f"a member is packed by method {member.method}")
    try:
        plain = zlib.decompressobj(-15).decompress(packed, limit + 1)
    except zlib.error as error:
        raise ValueError(str(error)) from error
    allowance.left -= len(plain)
    if len(plain) > limit:
        raise ValueError("a member is larger than it claims")
    return plain
