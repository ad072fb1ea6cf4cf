"""What does one tar header block say? By the rules of Go's archive/tar, which container runtimes read with.

POSIX.1-1988 (ustar), POSIX.1-2001 (pax) and GNU formats; see https://www.gnu.org/software/tar/manual/html_node/Standard.html.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable
from contextlib import suppress
from importlib import import_module

from layerscope.errors import ArchiveError

BLOCK = 512
ZERO = bytes(BLOCK)
INT64_MAX = (1 << 63) - 1
# Types that have no data, whatever their size field says: links, devices, folders, FIFOs.
HEADER_ONLY = frozenset((b"1", b"2", b"3", b"4", b"5", b"6"))

adler32: Callable[[bytes, int], int] = zlib.adler32
with suppress(ImportError):  # no wheel for this platform
    adler32 = import_module("isal.isal_zlib").adler32


class HeaderError(ArchiveError):
    """The block is no valid header, or its extension records are wrong: the reference reader stops here."""


def number(field: bytes) -> int:
    """Return a numeric field: octal, padded with NULs and spaces, or base-256 (first bit set)."""
    if field[0] & 0x80:
        negative = bool(field[0] & 0x40)
        data = bytes(octet ^ 0xFF for octet in field) if negative else field
        value = int.from_bytes(bytes((data[0] & 0x7F,)) + data[1:], "big")
        if value > INT64_MAX:
            raise HeaderError("a number does not fit 64 bits", id="C45")
        return ~value if negative else value
    digits = field.strip(b" \0").partition(b"\0")[0]
    if not digits:
        return 0
    if not digits.isdigit() or b"8" in digits or b"9" in digits:
        raise HeaderError("a numeric field is not octal", id="C60")
    value = int(digits, 8)
    return value if value <= INT64_MAX else value - (1 << 64)


def octal(field: bytes) -> int:
    """Return a checksum field, which is never base-256."""
    if field[0] & 0x80:
        raise HeaderError("the checksum is not octal", id="C54")
    return number(field)


def byte_sum(block: bytes) -> int:
    """Return the sum of 512 octets. The low half of Adler-32 is a sum modulo 65,521, which 256 octets cannot reach."""
    return (adler32(block[:256], 0) & 0xFFFF) + (adler32(block[256:], 0) & 0xFFFF)


def checksum_holds(block: bytes) -> bool:
    """Whether the checksum field agrees with the block, summed unsigned or (as old tars did) signed."""
    field = block[148:156]
    try:
        claimed = octal(field)
    except HeaderError:
        return False
    rest = block[:148] + block[156:]
    unsigned = sum(rest) + 8 * 32
    return claimed in (unsigned, unsigned - 256 * sum(octet > 127 for octet in rest))


def looks_like_tar(head: bytes) -> bool:
    """Whether the first 512 octets are a tar header or the zero block that ends an empty tar."""
    return len(head) >= BLOCK and (head[:BLOCK] == ZERO or checksum_holds(head[:BLOCK]))


def clean(name: bytes) -> tuple[bytes, bool]:
    """Return the path from the root without `.`, `..` and empty parts, and whether it tried to leave the root (C19, C20)."""
    parts: list[bytes] = []
    escaped = False
    for part in name.split(b"/"):
        if part == b"..":
            if parts:
                parts.pop()
            else:
                escaped = True
        elif part not in (b"", b"."):
            parts.append(part)
    return b"/".join(parts), escaped


def owner(field: bytes) -> tuple[int, int, int]:
    """Return permission bits, uid and gid of the 24 octets that tell them."""
    return number(field[:8]) & 0o7777, number(field[8:16]), number(field[16:])


def tail_device(tail: bytes) -> int:
    """Return major << 32 | minor of the second half of a header, as much of them as Linux makes a device of (12 and 20 bits).

    An old header has none, which is 0.
    """
    if tail[:6] != b"ustar\0" and tail[:8] != b"ustar  \0":
        return 0
    return (number(tail[72:80]) & 0xFFF) << 32 | (number(tail[80:88]) & 0xFFFFF)


def prefixed(name: bytes, block: bytes) -> bytes:
    """Return the name with its prefix, which old GNU headers may or may not have (C63)."""
    magic, version = block[257:263], block[263:265]
    if magic == b"ustar\0":
        prefix = block[345:476] if block[508:512] == b"tar\0" else block[345:500]
        prefix = prefix.partition(b"\0")[0]
    elif magic == b"ustar " and version == b" \0":
        try:
            for field in (block[345:357], block[357:369]):
                if field[0]:
                    number(field)
        except HeaderError:
            prefix = block[345:500].partition(b"\0")[0]
            if not prefix.isascii():
                prefix = b""
        else:
            prefix = b""
    else:
        prefix = b""
    return prefix + b"/" + name if prefix else name


def what_is(head: bytes) -> str:
    """Say for people what bytes are that should have been a tar."""
    text = head[:64].lstrip(b"\xef\xbb\xbf \t\r\n")
    if text[:1] in (b"{", b"["):
        return "it looks like JSON"
    if text[:1] == b"<":
        return "it looks like HTML or XML"
    if head[:4] == b"PK\x03\x04":
        return "it looks like a zip file"
    if head[:2] == b"\x1f\x8b":
        return "it is gzip data inside compressed data"
    return "its first header is damaged or of another format"
