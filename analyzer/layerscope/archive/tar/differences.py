"""Where do other readers of tar see something else than Go's, which runtimes use? (E34)

Found by listing hundreds of odd archives with GNU tar, libarchive and Python's tarfile; each note tells where such a place is.
"""

from __future__ import annotations

from layerscope.archive.notebook import Notebook
from layerscope.archive.tar.header import BLOCK, HEADER_ONLY
from layerscope.archive.tar.sparse import Fragments

Records = dict[bytes, bytes]


def tell_size(notes: Notebook, flag: bytes, field: bytes, size: int, start: int) -> None:
    """Judge a size field that is written in an odd way."""
    if field[0] & 0x80:
        if flag in HEADER_ONLY and not 0 <= size < 1 << 48:
            notes.warn("C60", f"a size of {size:,} bytes for what has no data: GNU tar or libarchive stop here", offset=start)
    elif field[0] == 0 and size:
        notes.warn("C60", "a size field begins with NUL: other readers take the size for 0", offset=start)
    elif not field.strip(b" "):
        notes.warn("C60", "a size field is blank: GNU tar passes the entry over", offset=start)
    elif b"\0" in field.strip(b" \0"):
        notes.warn("C60", "a size field has text after its end: readers disagree on the size", offset=start)


def tell_numbers(notes: Notebook, fields: tuple[bytes, ...], start: int) -> None:
    """Judge mode, owner or device numbers in base 256."""
    if any(0x80 < field[0] < 0xFF for field in fields):
        notes.warn("C41", "a number in base 256 of a form that Python's reader stops at", offset=start)


def tell_prefix(notes: Notebook, flag: bytes, block: bytes, start: int) -> None:
    """Judge bytes where a ustar header has its prefix, in a header of another kind or in star's."""
    if block[257:263] != b"ustar\0":
        if flag != b"S":
            notes.warn("C63", "a header without prefix has bytes where it would stand: readers join them or not", offset=start)
    elif block[475]:
        notes.warn("C63", "star's shorter prefix without an end: other readers read on", offset=start)


def tell_long(notes: Notebook, before: bytes, name: bytes, start: int) -> None:
    """Judge a GNU long name, with the one before it."""
    if before:
        notes.warn("C57", "two GNU long names before one entry: readers disagree which holds", offset=start)
    elif not name:
        notes.warn("C57", "an empty GNU long name, which other readers obey", offset=start)


def tell_text(notes: Notebook, data: bytes, start: int) -> None:
    """Judge the text of PAX records."""
    if data[:1] == b"+" or b"\n+" in data:
        notes.warn("C61", "a PAX record whose length has a sign: other readers ignore it", offset=start)
    if b"GNU.sparse.map=" in data and b"GNU.sparse.offset=" in data:
        notes.warn("C43", "a sparse file with two maps", offset=start)


def tell_extensions(
    notes: Notebook, flag: bytes, shown: bytes, records: Records, long_name: bytes, long_link: bytes, start: int
) -> None:
    """Judge what an entry's extension headers say against one another, and against the name that its header shows."""
    path = records.get(b"path", b"")
    if long_name and path not in (b"", long_name):
        notes.warn("C57", "PAX and GNU long names disagree: readers see different names", offset=start)
    if long_link and records.get(b"linkpath", long_link) != long_link:
        notes.warn("C57", "PAX and GNU long link targets disagree: readers see different targets", offset=start)
    if long_name and records.get(b"GNU.sparse.name"):
        notes.warn("C57", "a sparse file with a GNU long name: readers see different names", offset=start)
    if flag == b"\0" and shown[-1:] == b"/" and (long_name or path)[-1:] not in (b"", b"/"):
        notes.warn("C59", "an old-style file whose short name ends in '/': Python's reader may lose what follows", offset=start)
    for key in (b"path", b"linkpath", b"size"):
        if records.get(key) == b"":
            notes.warn("C61", f"an empty {key.decode()} in a PAX header, which other readers obey", offset=start)
    if flag in HEADER_ONLY and records.get(b"size", b"0").strip(b"+0"):
        notes.warn("C58", "a PAX size for what has no data: GNU tar or libarchive skip what follows", offset=start)


def tell_length(notes: Notebook, name: bytes, start: int) -> None:
    """Judge a name that may be too long for Linux (NAME_MAX, PATH_MAX)."""
    if len(name) >= 4096 or max(map(len, name.split(b"/"))) > 255:
        notes.warn("C38", f"a path of {len(name):,} bytes, which no runtime can unpack", path=name, offset=start)


def tell_sparse(notes: Notebook, flag: bytes, fragments: Fragments | None, map_bytes: int, start: int) -> None:
    """Judge a sparse file; `map_bytes` is what its map takes behind its header."""
    if fragments is None:
        notes.warn("C44", "sparse records without a map: other readers take another name or size", offset=start)
    elif flag == b"S":
        notes.warn("C43", "a sparse file in GNU's old form, which Docker cannot unpack", offset=start)
        if map_bytes > -(-max(len(fragments) - 4, 0) // 21) * BLOCK:
            notes.warn("C43", "a sparse map with empty parts: GNU tar and libarchive stop here", offset=start)
