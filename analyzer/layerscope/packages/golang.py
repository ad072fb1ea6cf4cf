"""Which Go modules is a program built from?

The linker writes a blob into every program: Go's version and the modules (debug/buildinfo). Since Go 1.18 the text
stands in the blob itself; in older programs two pointers lead to it, which are followed in ELF files.
"""

from __future__ import annotations

import json
import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from layerscope.archive.elf import MAGIC as ELF
from layerscope.archive.inspection import Content
from layerscope.model import Package
from layerscope.packages.database import MAX_RECORDS, Database, View
from layerscope.packages.executables import is_executable, loaded, section
from layerscope.packages.purl import purl
from layerscope.packages.text import text

if TYPE_CHECKING:
    from collections.abc import Iterator

MAGIC = b"\xff Go buildinf:"
MAX_BLOB = 4 << 20
"""Bytes of the text that is read."""

MAX_PROGRAM = 256 << 20
"""Bytes of a program without a section table that are looked through."""

_BIG_ENDIAN, _INLINE = 1, 2
_POINTERS = {4: "I", 8: "Q"}
_ALIGNED = 16
_SENTINEL = 16


@dataclass(frozen=True, slots=True)
class BuildInfo:
    """What a program was built from: Go's version, the main module, and (path, version) of the others."""

    go: str
    path: str
    main: tuple[str, str] | None
    modules: tuple[tuple[str, str], ...]


def inspect(_path: bytes, content: Content) -> bytes | None:
    """Return a mark of what a Go program is built from, None if it is none."""
    if not is_executable(content):
        return None
    blob = _blob(content)
    info = None if blob is None else read_info(blob, content)
    if info is None:
        return None
    return json.dumps({"go": info.go, "path": info.path, "main": info.main, "modules": info.modules}).encode()


def _blob(content: Content) -> bytes | None:
    """Return the blob and what follows it."""
    if content[0:4] == ELF:
        return section(content, b".go.buildinfo")
    whole = content[0 : min(len(content), MAX_PROGRAM)]
    at = whole.find(MAGIC)
    while at >= 0 and at % _ALIGNED:
        at = whole.find(MAGIC, at + 1)
    return whole[at : at + MAX_BLOB] if at >= 0 else None


def read_info(blob: bytes, program: Content = b"") -> BuildInfo | None:
    """Parse a blob, None if it is none; one of before Go 1.18 says where in the program its text lies."""
    if not blob.startswith(MAGIC) or len(blob) < 32:
        return None
    if blob[15] & _INLINE:
        version, at = _text(blob, 32)
        told, _ = _text(blob, at)
    else:
        version, told = (_string(program, blob, number) for number in range(2))
    if not version.startswith((b"go", b"devel")):
        return None
    framed = len(told) > 2 * _SENTINEL and told[-_SENTINEL - 1 : -_SENTINEL] == b"\n"
    told = told[_SENTINEL:-_SENTINEL] if framed else b""
    path, main, modules = "", None, list[tuple[str, str]]()
    for line in told.split(b"\n"):
        kind, *cells = line.split(b"\t")
        words = [text(cell) for cell in cells]
        if kind == b"path" and words:
            path = words[0]
        elif kind == b"mod" and len(words) >= 2:
            main = (words[0], words[1])
        elif kind == b"dep" and len(words) >= 2 and len(modules) < MAX_RECORDS:
            modules.append((words[0], words[1]))
        elif kind == b"=>" and len(words) >= 2 and modules:
            modules[-1] = (words[0], words[1])
    return BuildInfo(text(version.split(b" ", 1)[0]), path, main, tuple(modules))


def _string(program: Content, blob: bytes, number: int) -> bytes:
    """Return one of the two strings that a blob points to: a pointer to a pointer to the text, and its length."""
    size = blob[14]
    if size not in _POINTERS:
        return b""
    order, pointer = ">" if blob[15] & _BIG_ENDIAN else "<", _POINTERS[size]
    (address,) = struct.unpack_from(order + pointer, blob, _ALIGNED + number * size)
    header = loaded(program, address, 2 * size)
    if len(header) < 2 * size:
        return b""
    at, length = struct.unpack(order + 2 * pointer, header)
    found = loaded(program, at, min(length, MAX_BLOB))
    return found if len(found) == length else b""


def _text(blob: bytes, at: int) -> tuple[bytes, int]:
    """Return a text behind its length (a varint), and where it ends."""
    length = shift = 0
    while at < len(blob) and shift < 63:
        byte = blob[at]
        at += 1
        length |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            break
    return blob[at : at + min(length, MAX_BLOB)], at + length


def read(view: View) -> Iterator[Package]:
    """Yield the modules of every Go program; its file is the main module's, else the first one's that is told."""
    count = 0
    for path in sorted(view.files):
        info = view.parsed(path, _mark)
        if info is None:
            continue
        main = info.main or (info.path or "command-line-arguments", "(devel)")
        rows = list(dict.fromkeys([main, *info.modules, ("stdlib", info.go)]))
        for module, version in rows:
            count += 1
            if count > MAX_RECORDS:
                view.note(path, f"only the first {MAX_RECORDS} modules were read")
                return
            space, _, name = module.rpartition("/")
            own = (module, version) == main
            yield Package(
                type="golang",
                name=module,
                version=version,
                arch=None,
                purl=purl("golang", space, name, version),
                origin=path,
                location=path,
                paths=(path,) if own else (),
                requires=tuple(dict.fromkeys(other for other, _ in rows if other != module)) if own else (),
                reason="root" if own else "dependency",
                evidence=f"built into /{text(path)}",
            )


def _mark(content: bytes, _problems: list[str]) -> BuildInfo | None:
    document: Any = json.loads(content)
    if not isinstance(document, dict):
        return None
    main, modules = document.get("main"), document.get("modules")
    return BuildInfo(
        go=text(document.get("go")),
        path=text(document.get("path")),
        main=_pair(main),
        modules=tuple(pair for one in (modules if isinstance(modules, list) else ()) if (pair := _pair(one))),
    )


def _pair(value: object) -> tuple[str, str] | None:
    name, version = map(text, value) if isinstance(value, list) and len(value) == 2 else ("", "")
    return (name, version) if name else None


GOLANG = Database("golang", (), read, inspect=inspect, edition="2")
