"""What do the records of a PAX header say? By the rules of Go's archive/tar; see POSIX.1-2001, pax, "Extended Header"."""

from __future__ import annotations

import base64
import binascii
from urllib.parse import unquote_to_bytes

from layerscope.archive.tar.header import INT64_MAX, HeaderError

STRINGS = frozenset((b"path", b"linkpath", b"uname", b"gname"))
SCHILY = b"SCHILY.xattr."
LIBARCHIVE = b"LIBARCHIVE.xattr."


def decimal(value: bytes) -> int:
    """Return a decimal number as Go's strconv.ParseInt takes it: an optional sign and digits, within 64 bits."""
    digits = value[1:] if value[:1] in (b"+", b"-") else value
    if not digits.isdigit():
        raise HeaderError(f"a PAX record is not a number: {value[:40]!r}", id="C61")
    result = int(digits.lstrip(b"0")[:20] or b"0")
    if value[:1] == b"-":
        result = -result
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
        try:
            size = decimal(data[position:space] if space >= 0 else b"")
        except HeaderError:
            raise HeaderError("a PAX record has no length", id="C61", offset=position) from None
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
