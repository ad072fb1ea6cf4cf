"""Where in an executable do the sections lie that tell what it was built from?

ELF is walked by its section table, which is small; of PE and Mach-O only the first bytes are looked at.
"""

from __future__ import annotations

import struct

ELF = b"\x7fELF"
PE = b"MZ"
_MACH_O = frozenset({b"\xfe\xed\xfa\xce", b"\xfe\xed\xfa\xcf", b"\xce\xfa\xed\xfe", b"\xcf\xfa\xed\xfe", b"\xca\xfe\xba\xbe"})
_MAX_SECTIONS = 65_536


def is_executable(content: bytes) -> bool:
    """Tell by the first bytes whether a file is a program or a shared library."""
    return content[:4] == ELF or content[:2] == PE or content[:4] in _MACH_O


def section(content: bytes, name: bytes) -> bytes | None:
    """Return a section of an ELF file by its name, None if it has none or lies outside the file."""
    if content[:4] != ELF or len(content) < 64 or content[4] not in {1, 2} or content[5] not in {1, 2}:
        return None
    order = "<" if content[5] == 1 else ">"
    wide = content[4] == 2
    table, size, count, names = struct.unpack_from(order + ("40xQ10xHHH" if wide else "32xI10xHHH"), content)
    row = order + ("I20xQQ" if wide else "I12xII")
    if size < struct.calcsize(row) or count > _MAX_SECTIONS or names >= count or table + size * count > len(content):
        return None
    _, at, length = struct.unpack_from(row, content, table + size * names)
    titles = content[at : at + length]
    for number in range(count):
        title, at, length = struct.unpack_from(row, content, table + size * number)
        if titles[title : title + len(name) + 1] == name + b"\0":
            return content[at : at + length] if at + length <= len(content) else None
    return None
