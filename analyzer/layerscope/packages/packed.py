"""Which programs are packed by UPX, so that nothing tells what they were built from?

The packer leaves its mark behind the program headers of an ELF file, and in the names of the sections of a PE file: both lie
among the first bytes. (UPX, src/stub/src/include/linux.h, `l_info`; p_w32pe.h)
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from layerscope.packages.database import Database, View
from layerscope.packages.executables import is_executable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from layerscope.archive.inspection import Content
    from layerscope.model import Package

_MARKS = (b"UPX!", b"UPX0\0\0\0\0")
_HEAD = 1024


def inspect(_path: bytes, content: Content) -> bytes | None:
    """Return a mark of a program that is packed, None of any other file."""
    head = content[0 : min(_HEAD, len(content))]
    return b"UPX" if is_executable(head) and any(mark in head for mark in _MARKS) else None


def read(view: View) -> Iterator[Package]:
    """Tell of each packed program; there is no package in it that could be named."""
    for path in sorted(view.files):
        view.remark(path, "packed by UPX: what it was built from cannot be told")
    return iter(())


PACKED = Database("packed", (), read, inspect=inspect)
