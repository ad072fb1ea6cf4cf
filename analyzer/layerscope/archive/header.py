"""What does one tar header block say? By the rules of Go's archive/tar, which container runtimes read with.

POSIX.1-1988 (ustar), POSIX.1-2001 (pax) and GNU formats; see https://www.gnu.org/software/tar/manual/html_node/Standard.html.
"""

from __future__ import annotations

import base64
import binascii
import zlib
from collections.abc import Callable
from contextlib import suppress
from importlib import import_module
from urllib.parse import unquote_to_bytes

from layerscope.errors import ArchiveError

BLOCK = 512
ZERO = bytes(BLOCK)
INT64_MAX = (1 << 63) - 1
STRINGS = frozenset((b"path", b"linkpath", b"uname", b"gname"))
SCHILY = b"SCHILY.xattr."
LIBARCHIVE = b"LIBARCHIVE.xattr."

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


def decimal(value: bytes) -> int:
    """Return a decimal PAX number as Go's strconv.ParseInt takes it: an optional sign and digits, within 64 bits."""
    digits = value[1:] if value[:1] in (b"+", b"-") else value
    if not digits.isdigit() or len(digits) > 1000:
        raise HeaderError(f"a PAX record is not a number: {value[:40]!r}", id="C61")
    result = int(value)
    if not -INT64_MAX - 1 <= result <= INT64_MAX:
        raise HeaderError("a PAX number does not fit 64 bits", id="C61")
    return result


def nanoseconds(value: bytes) -> int:
    """Return a PAX time, seconds with an optional fraction, in nanoseconds."""
    whole, _, fraction = value.partition(b".")
    seconds = decimal(whole)
    if not fraction:
        return seconds * 10**9
    if not fraction.isdigit():
        raise HeaderError("a PAX time is not a number", id="C42")
    rest = int(fraction[:9].ljust(9, b"0"))
    return seconds * 10**9 + (-rest if whole[:1] == b"-" else rest)


def pax_records(data: bytes) -> dict[bytes, bytes]:
    """Return the records of an `x` or `g` header; sparse format 0.0 is turned into 0.1's map."""
    records: dict[bytes, bytes] = {}
    sparse: list[bytes] = []
    position, end = 0, len(data)
    while position < end:
        space = data.find(b" ", position)
        digits = data[position:space] if space >= 0 else b""
        # Go takes a sign and leading zeros here as well.
        if not digits or len(digits) > 20 or not digits.lstrip(b"+").isdigit():
            raise HeaderError("a PAX record has no length", id="C61", offset=position)
        size = int(digits)
        stop = position + size
        if size < 5 or stop > end or stop - 1 <= space or data[stop - 1] != 0x0A:
            raise HeaderError(f"a PAX record has the wrong length {size}", id="E12" if size == 0 else "C61", offset=position)
        key, equals, value = data[space + 1 : stop - 1].partition(b"=")
        if not equals or not key or (b"\0" in value if key in STRINGS else b"\0" in key):
            raise HeaderError("a PAX record is malformed", id="C37" if b"\0" in value else "C61", offset=position)
        if key in (b"GNU.sparse.offset", b"GNU.sparse.numbytes"):
            if (key == b"GNU.sparse.offset") != (len(sparse) % 2 == 0) or b"," in value:
                raise HeaderError("a PAX sparse map is out of order", id="C43", offset=position)
            sparse.append(value)
        else:
            records[key] = value
        position = stop
    if sparse:
        records[b"GNU.sparse.map"] = b",".join(sparse)
    return records


def validate_pax(records: dict[bytes, bytes]) -> None:
    """Raise where Go would: it parses these even where nobody asks for them."""
    for key in (b"atime", b"ctime"):
        if records.get(key):
            nanoseconds(records[key])


def xattrs(records: dict[bytes, bytes]) -> tuple[tuple[bytes, bytes], ...]:
    """Return extended attributes: SCHILY's raw ones, then libarchive's (name URL-encoded, value base64)."""
    found: dict[bytes, bytes] = {}
    for key, value in records.items():
        if key.startswith(LIBARCHIVE):
            try:
                raw = base64.b64decode(value + b"=" * (-len(value) % 4), validate=True)
            except (binascii.Error, ValueError):
                raw = value
            found.setdefault(unquote_to_bytes(key[len(LIBARCHIVE) :]), raw)
    for key, value in records.items():
        if key.startswith(SCHILY) and value:
            found[key[len(SCHILY) :]] = value
    return tuple(sorted(found.items()))


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
