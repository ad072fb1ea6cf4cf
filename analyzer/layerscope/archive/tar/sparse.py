"""Where are the data of a sparse file? GNU's old format and the three PAX ones, by the rules of Go's archive/tar."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from layerscope.archive.feed import Feed
from layerscope.archive.limits import Limits
from layerscope.archive.tar.header import BLOCK, HEADER_ONLY, INT64_MAX, HeaderError, number
from layerscope.archive.tar.pax import decimal
from layerscope.errors import LimitError

SPARSE_HASHED = 1 << 28
ZEROS = bytes(1 << 16)

Fragments = tuple[tuple[int, int], ...]


def read_map(
    feed: Feed, limits: Limits, flag: bytes, block: bytes, name: bytes, records: dict[bytes, bytes], size: int
) -> tuple[bytes, int, int, Fragments | None]:
    """Return name, logical size, bytes of stored data still to come, and fragments; None if the records make no sparse file.

    `size` is what header or records say; the feed stands behind the header, and is moved behind the map.
    """
    logical = size
    stored = 0 if flag in HEADER_ONLY else size
    fragments: Fragments | None = None
    if flag == b"S":
        logical, fragments = old_gnu_map(block, feed.block, limits)
    elif (version := pax_version(records)) is not None:
        name = records.get(b"GNU.sparse.name") or name
        real = pax_size(records)
        logical = size if real is None else real
        if version == "0":
            fragments = map_0(records, logical)
        else:
            used, fragments = map_1(feed.block, logical, limits)
            stored -= used
        if flag in HEADER_ONLY:
            raise HeaderError("a sparse entry that is no file", id="C43")
    if fragments is not None and sum(length for _, length in fragments) != stored:
        raise HeaderError("a sparse file's map does not match its data", id="C43")
    return name, logical, stored, fragments


def old_gnu_map(block: bytes, read_block: Callable[[], bytes], limits: Limits) -> tuple[int, Fragments]:
    """Return logical size and fragments of a typeflag S header; `read_block` gives its extension blocks."""
    if block[257:265] != b"ustar  \0":
        raise HeaderError("a sparse header that is not GNU's", id="C43")
    size = number(block[483:495])
    found: list[tuple[int, int]] = []
    table, more = block[386:482], block[482]
    total = 97
    while True:
        for start in range(0, len(table) - 23, 24):
            if table[start] == 0:
                break
            found.append((number(table[start : start + 12]), number(table[start + 12 : start + 24])))
        if not more:
            return size, validate(found, size)
        total += BLOCK
        if len(found) > limits.sparse_fragments or total > limits.special_bytes:
            raise LimitError("a sparse map is too long", limit="sparse_fragments", id="E14")
        extension = read_block()
        if len(extension) < BLOCK:
            raise HeaderError("a sparse map is cut", id="C55")
        table, more = extension[:504], extension[504]


def pax_version(records: dict[bytes, bytes]) -> str | None:
    """Return "0" (formats 0.0 and 0.1), "1" (1.0), or None if the records do not make a sparse file (C44)."""
    major, minor = records.get(b"GNU.sparse.major", b""), records.get(b"GNU.sparse.minor", b"")
    if major == b"0" and minor in (b"0", b"1"):
        return "0"
    if major == b"1" and minor == b"0":
        return "1"
    if major or minor:
        return None
    return "0" if records.get(b"GNU.sparse.map") else None


def pax_size(records: dict[bytes, bytes]) -> int | None:
    """Return the logical size that the records tell."""
    text = records.get(b"GNU.sparse.size") or records.get(b"GNU.sparse.realsize")
    return decimal(text) if text else None


def map_0(records: dict[bytes, bytes], size: int) -> Fragments:
    """Return the fragments of format 0.1, which the records hold."""
    count = decimal(records.get(b"GNU.sparse.numblocks", b""))
    text = records.get(b"GNU.sparse.map", b"")
    fields = text.split(b",") if text else []
    if count < 0 or len(fields) != 2 * count:
        raise HeaderError("a sparse map has the wrong length", id="C43")
    return validate([(decimal(a), decimal(b)) for a, b in zip(fields[::2], fields[1::2], strict=True)], size)


def map_1(read_block: Callable[[], bytes], size: int, limits: Limits) -> tuple[int, Fragments]:
    """Return the bytes that the map takes of the data, and the fragments, of format 1.0."""
    text = b""

    def tokens(count: int) -> list[bytes]:
        nonlocal text
        pieces = [text]
        lines = text.count(b"\n")
        while lines < count:
            block = read_block()
            if len(block) < BLOCK:
                raise HeaderError("a sparse map is cut", id="C55")
            pieces.append(block)
            lines += block.count(b"\n")
            if len(pieces) * BLOCK > limits.special_bytes:
                raise LimitError("a sparse map is too long", limit="special_bytes", id="E14")
        text = b"".join(pieces)
        return text.split(b"\n", count)[:count]

    count = decimal(tokens(1)[0])
    if count < 0:
        raise HeaderError("a sparse map has the wrong length", id="E14")
    if count > limits.sparse_fragments:
        raise LimitError("a sparse map is too long", limit="sparse_fragments", id="E14")
    fields = [decimal(token) for token in tokens(1 + 2 * count)[1:]]
    return len(text), validate(list(zip(fields[::2], fields[1::2], strict=True)), size)


def validate(fragments: list[tuple[int, int]], size: int) -> Fragments:
    """Return the fragments if they ascend and lie within `size`."""
    end = 0
    for offset, length in fragments:
        if offset < end or length < 0 or offset + length > min(size, INT64_MAX):
            raise HeaderError("a sparse map is out of order", id="C43")
        end = offset + length
    if size < 0:
        raise HeaderError("a sparse file has a negative size", id="C43")
    return tuple(fragments)


def expand(fragments: Fragments, size: int, stored: bytes) -> bytes:
    """Return the logical content of a sparse file."""
    content = bytearray(size)
    done = 0
    for offset, length in fragments:
        content[offset : offset + length] = stored[done : done + length]
        done += length
    return bytes(content)


def fill(fragments: Fragments, size: int, pieces: Iterator[bytes]) -> Iterator[bytes]:
    """Yield a sparse file's logical content; `pieces` give its stored data, of which some may be missing."""
    done = 0
    rest = b""
    for offset, length in (*fragments, (size, 0)):
        for start in range(done, offset, len(ZEROS)):
            yield ZEROS[: offset - start]
        left = length
        while left and (rest := rest or next(pieces, b"")):
            yield rest[:left]
            left, rest = max(left - len(rest), 0), rest[left:]
        done = offset + length
