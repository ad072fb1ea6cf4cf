"""How many bytes of a program or library are for debuggers and linkers only? What `strip` takes off, from the section tables.

Of programs and shared libraries that is debug sections and the symbol table, of objects and static libraries debug sections
alone: `strip --strip-unneeded` and `strip --strip-debug`. A file with data behind its sections (a self-extracting program) is
left alone: stripping would break it.
"""

from __future__ import annotations

from collections.abc import Iterable

from layerscope.archive.elf import LOADED, MAGIC, MAX_SECTIONS, OBJECT, Elf, Section, read_elf
from layerscope.archive.glance import Files
from layerscope.archive.inspection import HELD, Content, Inspector
from layerscope.regex import regex

NAME = "symbols"
ARCHIVE = b"!<arch>\n"
PROGRAMS = Files((b".so", b".a", b".o", b".ko", b".node"), inside=b".so.", modes=0o111)
"""What may be a program or a library, before its content is at hand."""
_DEBUG = (b".debug_", b".zdebug_", b".rela.debug_", b".rel.debug_", b".stab", b".rela.stab", b".gdb_index", b".line")
_OF_OBJECTS = regex(rb"\.(?:z?debug_|stab|gdb_index|line)")
_OF_PROGRAMS = regex(rb"\.(?:z?debug_|stab|gdb_index|line|symtab|strtab)")
"""What the names of sections have in them if any of these can go."""
_SYMBOLS = (b".symtab", b".strtab", b".symtab_shndx")
_MEMBER = 60
_MAX_MEMBERS = 65_536
_SLACK = 16
"""Padding that may lie behind the sections."""


def is_binary(head: bytes) -> bool:
    """Tell by its first bytes whether a file is one."""
    return head[:4] == MAGIC or head[:8] == ARCHIVE


def find(_path: bytes, content: Content) -> bytes | None:
    """Return the bytes that `strip` takes off, and with which option: `4096 unneeded`; None if there are none."""
    if content[0 : min(8, len(content))] == ARCHIVE:
        freed, option = _count_members(content), "debug"
    else:
        elf = read_elf(content)
        freed = 0 if elf is None else count_debug(elf, len(content))
        option = "debug" if elf is not None and elf.kind == OBJECT else "unneeded"
    return f"{freed} {option}".encode() if freed else None


INSPECTOR = Inspector(NAME, "1", PROGRAMS, is_binary, find)


def read_finding(found: bytes) -> tuple[int, str]:
    """Return the bytes, and the option that `strip` takes."""
    size, _, option = found.decode().partition(" ")
    return int(size), option


def count_debug(elf: Elf, length: int) -> int:
    """Return how many bytes of a file are in sections that can go, and in nothing that stays."""
    if not (_OF_OBJECTS if elf.kind == OBJECT else _OF_PROGRAMS).search(elf.titles):
        return 0
    sections = list(elf.sections())
    names = _DEBUG if _needs_symbols(elf, sections) else _DEBUG + _SYMBOLS
    stays, goes = [*elf.tables, *elf.loads], list[tuple[int, int]]()
    for number, one in enumerate(sections):
        if one.end > one.start:
            free = one.name.startswith(names) and not one.flags & LOADED and number != elf.names
            (goes if free else stays).append((one.start, one.end))
    end = max(stop for _, stop in stays + goes)
    if not goes or not end <= length <= end + _SLACK:
        return 0
    return _measure(stays + goes) - _measure(stays)


def _needs_symbols(elf: Elf, sections: Iterable[Section]) -> bool:
    """Whether something that stays refers to the symbol table: relocations of an object, or that a linker left in a program."""
    relocations = (one for one in sections if one.name.startswith(b".rel") and not one.flags & LOADED)
    return elf.kind == OBJECT or any(not one.name.startswith(_DEBUG) for one in relocations)


def _measure(spans: Iterable[tuple[int, int]]) -> int:
    """Return how many bytes lie in at least one of these."""
    total = end = 0
    for start, stop in sorted(spans):
        total += max(0, stop - max(start, end))
        end = max(end, stop)
    return total


def _count_members(content: Content) -> int:
    """Return how many bytes of the objects in a static library can go."""
    if len(content) <= HELD:
        content = content[0 : len(content)]
    at, total, budget = len(ARCHIVE), 0, MAX_SECTIONS
    for _ in range(_MAX_MEMBERS):
        head = content[at : min(at + _MEMBER, len(content))]
        size = head[48:58].strip(b" ")
        if len(head) < _MEMBER or head[58:] != b"`\n" or not size.isdigit():
            break
        at, length = at + _MEMBER, int(size)
        if at + length > len(content):
            break
        elf = read_elf(content, at, at + length)
        if elf is not None:
            budget -= len(elf.rows) // elf.form.size
            if budget < 0:
                break
            total += count_debug(elf, length)
        at += length + (length & 1)
    return total
