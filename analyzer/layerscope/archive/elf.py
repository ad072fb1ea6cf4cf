"""What lies where in an ELF file? Its header and its two tables are read, which are small; the rest is not.

Nothing in a file is believed further than the file reaches. Source: the System V ABI, chapters 4 and 5.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import NamedTuple

from layerscope.archive.inspection import Content
from layerscope.frozen import frozen

MAGIC = b"\x7fELF"
MAX_SECTIONS = 65_536
OBJECT = 1
LOADED = 2
_MAX_NAMES = 16 << 20
_MAX_NAME = 64
_HEAD = 64
_EMPTY = 8


class Section(NamedTuple):
    """A section: its name (64 bytes at most), its flags, and where it begins and ends in the file; NOBITS takes nothing."""

    name: bytes
    flags: int
    start: int
    end: int


@frozen
class Elf:
    """What an ELF file says of itself.

    kind    `e_type`: 1 an object, 2 a program, 3 a shared library or a program that may lie anywhere
    titles  the names of its sections, one behind the other
    names   number of the section that holds them
    tables  where header and tables lie, begin and end
    loads   where what is loaded lies
    rows    the section table, and how a row of it is packed
    """

    kind: int
    titles: bytes
    names: int
    tables: tuple[tuple[int, int], ...]
    loads: tuple[tuple[int, int], ...]
    rows: bytes
    form: struct.Struct

    def sections(self) -> Iterator[Section]:
        """Yield the sections in the order of their table, with the first, which is none."""
        for title, kind, flags, start, size in self.form.iter_unpack(self.rows):
            name = self.titles[title : title + _MAX_NAME].partition(b"\0")[0]
            yield Section(name, flags, start, start if kind == _EMPTY else start + size)


_FORMS = {
    (order, wide): (
        struct.Struct(order + ("16xH14xQQ6xHHHHH" if wide else "16xH10xII6xHHHHH")),
        struct.Struct(order + ("IIQ8xQQ24x" if wide else "III4xII16x")),
        struct.Struct(order + ("8xQ16xQ16x" if wide else "4xI8xI12x")),
    )
    for order in "<>"
    for wide in (True, False)
}


def read_elf(content: Content, start: int = 0, stop: int | None = None) -> Elf | None:
    """Return what an ELF file says of itself; None of anything else, and where its tables lie outside of it.

    The file may be a part of the content, from `start` to `stop`; all offsets count from its beginning.
    """
    length = (len(content) if stop is None else stop) - start
    head = content[start : start + min(_HEAD, length)]
    if head[:4] != MAGIC or len(head) < _HEAD or head[4] not in {1, 2} or head[5] not in {1, 2}:
        return None
    header, section, segment = _FORMS["<" if head[5] == 1 else ">", head[4] == 2]
    kind, load, table, load_size, loads, size, count, names = header.unpack_from(head)
    end, loaded = table + size * count, load + load_size * loads
    if size != section.size or not 0 < count <= MAX_SECTIONS or names >= count or end > length:
        return None
    if loads and (load_size != segment.size or loaded > length):
        return None
    rows = content[start + table : start + end]
    *_, at, room = section.unpack_from(rows, size * names)
    return Elf(
        kind,
        content[start + at : start + min(at + min(room, _MAX_NAMES), length)] if at < length else b"",
        names,
        ((0, header.size), (table, end), (load, loaded)),
        tuple([(begin, begin + taken) for begin, taken in segment.iter_unpack(content[start + load : start + loaded])])
        if loads
        else (),
        rows,
        section,
    )
