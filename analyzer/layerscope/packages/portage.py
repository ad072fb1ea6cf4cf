"""Which Portage packages are installed (Gentoo), and whose files are they?

A package is a folder `var/db/pkg/CATEGORY/NAME-VERSION`; its CONTENTS lists folders, files and links.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from layerscope.model import Package
from layerscope.packages.database import MAX_RECORDS, Database, View
from layerscope.packages.purl import purl
from layerscope.packages.text import text
from layerscope.regex import regex

if TYPE_CHECKING:
    from collections.abc import Iterator

FOLDER = b"var/db/pkg/"
WORLD = b"var/lib/portage/world"

_VERSIONED = regex(r"(.+?)-(\d[^-]*(?:-r\d+)?)\Z")
_ATOM = regex(r"[<>=~]*([A-Za-z0-9+_.-]+/[A-Za-z0-9+_-]+)")


def read(view: View) -> Iterator[Package]:
    """Yield the installed packages; the name has the category."""
    found: dict[bytes, tuple[str, str]] = {}
    for path in sorted(path for path in view.files if path.startswith(FOLDER) and path.endswith(b"/CONTENTS")):
        category, _, rest = text(path.removeprefix(FOLDER).removesuffix(b"/CONTENTS")).partition("/")
        match = _VERSIONED.match(rest)
        if match is None:
            view.note(path, "its folder names no version")
        elif len(found) == MAX_RECORDS:
            view.note(path, f"only the first {MAX_RECORDS} packages were read")
            break
        else:
            found[path] = (f"{category}/{match[1]}", match[2])
    installed = {name for name, _ in found.values()}
    world = {_bare(text(line)) for line in view.files[WORLD].split()} if WORLD in view.files else None
    for path, (name, version) in found.items():
        folder = path.removesuffix(b"CONTENTS")
        needed = dict.fromkeys(
            other for token in text_of(view, folder + b"RDEPEND").split() if (other := _bare(token)) in installed
        )
        needed.pop(name, None)
        category, _, short = name.partition("/")
        yield Package(
            type="ebuild",
            name=name,
            version=version,
            arch=None,
            purl=purl("ebuild", category, short, version),
            origin=path,
            paths=view.parsed(path, _contents) or (),
            requires=tuple(needed),
            reason=None if world is None else "asked" if name in world else "dependency",
            license=text_of(view, folder + b"LICENSE")[:200].strip() or None,
            system=True,
            evidence=f"/{WORLD.decode()} lists it" if world is not None and name in world else None,
        )


def text_of(view: View, path: bytes) -> str:
    """Return a small file as text, empty if it is not there."""
    return view.files.get(path, b"")[: 1 << 16].decode("utf-8", "replace")


def _bare(atom: str) -> str:
    """Return `category/name` of `>=category/name-1.2:slot[use]`; a blocker (`!`) is nothing."""
    match = _ATOM.match(atom)
    if match is None:
        return ""
    name = match[1]
    if atom[0] not in "<>=~":
        return name
    # The pattern stops before a dot: what is left of the version goes, too.
    versioned = re.match(r"(.+?)-\d", name)
    return versioned[1] if versioned else name


def _contents(content: bytes, _problems: list[str]) -> tuple[bytes, ...]:
    return tuple(path for line in content.split(b"\n") if (path := _listed(line)))


def _listed(line: bytes) -> bytes:
    """Return the path in `obj /PATH MD5 TIME` or `sym /PATH -> TARGET TIME`, nothing of other lines."""
    kind, _, rest = line.partition(b" /")
    if kind == b"obj" and rest.count(b" ") >= 2:
        return rest.rsplit(b" ", 2)[0]
    if kind == b"sym" and b" -> " in rest:
        return rest.partition(b" -> ")[0]
    return b""


PORTAGE = Database(
    "portage",
    (*(f"{FOLDER.decode()}*/*/{name}" for name in ("CONTENTS", "RDEPEND", "LICENSE")), WORLD.decode()),
    read,
)
