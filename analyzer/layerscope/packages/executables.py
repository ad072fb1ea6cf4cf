"""Is a file a program, and what do its sections tell that it was built from?

ELF is walked by its section table, which is small; of PE and Mach-O only the first bytes are looked at.
"""

from __future__ import annotations

import struct

from layerscope.archive.elf import MAGIC as ELF
from layerscope.archive.elf import read_elf
from layerscope.archive.inspection import Content

PE = b"MZ"
_MACH_O = frozenset({b"\xfe\xed\xfa\xce", b"\xfe\xed\xfa\xcf", b"\xce\xfa\xed\xfe", b"\xcf\xfa\xed\xfe", b"\xca\xfe\xba\xbe"})


def is_executable(content: Content) -> bool:
    """Tell by the first bytes whether a file is a program or a shared library."""
    head = content[0:4]
    return head == ELF or head[:2] == PE or head in _MACH_O


def loaded(content: Content, address: int, length: int) -> bytes:
    """Return what an ELF program finds at an address; less, or nothing, where the file holds less."""
    elf = read_elf(content)
    if elf is None:
        return b""
    wide, order = content[4:6]
    segment = struct.Struct(("<" if order == 1 else ">") + ("8xQQ8xQ16x" if wide == 2 else "4xII4xI12x"))
    start, end = elf.tables[2]
    for offset, base, size in segment.iter_unpack(content[start:end]):
        at = offset + address - base
        stop = min(at + length, offset + size, len(content))
        if base <= address and at < stop:
            return content[at:stop]
    return b""


def section(content: Content, name: bytes) -> bytes | None:
    """Return a section of an ELF file by its name, None if it has none or lies outside the file."""
    elf = read_elf(content)
    if elf is None or name not in elf.titles:
        return None
    for one in elf.sections():
        if one.name == name:
            return content[one.start : one.end] if one.end <= len(content) else None
    return None
