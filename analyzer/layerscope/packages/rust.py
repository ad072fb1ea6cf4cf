"""Which Rust crates is a program built from?

`cargo auditable` puts the list into the section `.dep-v0`: JSON, packed with zlib.
"""

from __future__ import annotations

import json
import zlib
from typing import TYPE_CHECKING, Any

from layerscope.archive.inspection import Content
from layerscope.frozen import frozen
from layerscope.model import Package
from layerscope.packages.database import MAX_RECORDS, Database, View
from layerscope.packages.executables import section
from layerscope.packages.purl import purl
from layerscope.packages.text import text

if TYPE_CHECKING:
    from collections.abc import Iterator

MAX_LIST = 8 << 20
"""Bytes of the list, unpacked."""

_SECTION = b".dep-v0"


@frozen
class Crate:
    """One crate of the list; `needs` are positions in it."""

    name: str
    version: str
    build: bool
    root: bool
    needs: tuple[int, ...]


def inspect(_path: bytes, content: Content) -> bytes | None:
    """Return the list that a Rust program carries, unpacked; None if it carries none."""
    packed = section(content, _SECTION)
    if packed is None:
        return None
    try:
        plain = zlib.decompressobj().decompress(packed, MAX_LIST + 1)
    except zlib.error:
        return None
    return plain if len(plain) <= MAX_LIST else None


def read(view: View) -> Iterator[Package]:
    """Yield the crates of every program; its file is the root crate's. Crates that only built it are not in it."""
    count = 0
    for path in sorted(view.files):
        crates = view.parsed(path, _crates) or ()
        for crate in crates:
            if crate.build:
                continue
            count += 1
            if count > MAX_RECORDS:
                view.note(path, f"only the first {MAX_RECORDS} crates were read")
                return
            needed = (crates[number] for number in crate.needs if number < len(crates))
            yield Package(
                type="cargo",
                name=crate.name,
                version=crate.version,
                arch=None,
                purl=purl("cargo", None, crate.name, crate.version),
                origin=path,
                location=path,
                paths=(path,) if crate.root else (),
                requires=tuple(dict.fromkeys(other.name for other in needed if not other.build and other is not crate)),
                reason="root" if crate.root else "dependency",
                evidence=f"built into /{text(path)}",
            )


def _crates(content: bytes, problems: list[str]) -> tuple[Crate, ...]:
    document = json.loads(content)
    listed = document.get("packages") if isinstance(document, dict) else None
    found = []
    for told in listed[:MAX_RECORDS] if isinstance(listed, list) else ():
        crate = _crate(told) if isinstance(told, dict) else None
        if crate is None:
            # The others are told by position, so a hole stays a hole.
            problems.append("a crate without a name or a version was left out")
            crate = Crate("", "", build=True, root=False, needs=())
        found.append(crate)
    return tuple(found)


def _crate(told: dict[str, Any]) -> Crate | None:
    name, version, needs = text(told.get("name")), text(told.get("version")), told.get("dependencies")
    if not name or not version:
        return None
    return Crate(
        name=name,
        version=version,
        build=told.get("kind") == "build",
        root=told.get("root") is True,
        needs=tuple(one for one in (needs if isinstance(needs, list) else ()) if isinstance(one, int) and one >= 0),
    )


RUST = Database("rust", (), read, inspect=inspect)
