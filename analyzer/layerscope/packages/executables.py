"""Where in an executable do the sections lie that tell what it was built from?

ELF is walked by its section table, which is small; of PE and Mach-O only the first bytes are looked at.
"""

from __future__ import annotations

import struct

from layerscope.archive.inspection import Content

ELF = b"\x7fELF"
PE = b"MZ"
_MACH_O = frozenset({b"\xfe\xed\xfa\xce", b"\xfe\xed\xfa\xcf", b"\xce\xfa\xed\xfe", b"\xcf\xfa\xed\xfe", b"\xca\xfe\xba\xbe"})
_MAX_SECTIONS = 65_536
_MAX_TITLES = 16 << 20


def is_executable(content: Content) -> bool:
    """Tell by the first bytes whether a file is a program or a shared library."""
    head = content[0:4]
    return head == ELF or head[:2] == PE or head in _MACH_O


def section(content: Content, name: bytes) -> bytes | None:
    """Return a section of an ELF file by its name, None if it has none or lies outside the file."""
    head = content[0:64]
    if head[:4] != ELF or len(head) < 64 or head[4] not in {1, 2} or head[5] not in {1, 2}:
        return None
    order = "<" if head[5] == 1 else ">"
    wide = head[4] == 2
    table, size, count, names = struct.unpack_from(order + ("40xQ10xHHH" if wide else "32xI10xHHH"), head)
    row = order + ("I20xQQ" if wide else "I12xII")
    if size < struct.calcsize(row) or count > _MAX_SECTIONS or names >= count or table + size * count > len(content):
        return None
    rows = content[table : table + size * count]
    _, at, length = struct.unpack_from(row, rows, size * names)
    titles = content[at : at + min(length, _MAX_TITLES)]
    for number in range(count):
        title, at, length = struct.unpack_from(row, rows, size * number)
        if titles[title : title + len(name) + 1] == name + b"\0":
            return content[at : at + length] if at + length <= len(content) else None
    return None
