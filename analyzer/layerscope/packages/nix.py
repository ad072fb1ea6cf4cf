"""Which store paths are there (Nix, Guix), and which refers to which?

The folder's name tells the package; an image with a database tells the references, too. A store path of which no
version can be told is a package without one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from layerscope.model import Package
from layerscope.packages import sqlite
from layerscope.packages.database import MAX_RECORDS, Database, View
from layerscope.packages.purl import purl
from layerscope.packages.text import text
from layerscope.regex import regex

if TYPE_CHECKING:
    from collections.abc import Iterator

STORES = (b"nix/store/", b"gnu/store/")
DATABASE = b"nix/var/nix/db/db.sqlite"

_FOLDER = regex(r"([0-9a-df-np-sv-z]{32})-(.+)\Z")
_VERSIONED = regex(r"(.+?)-(\d.*?)(?:-(bin|dev|lib|out|doc|man|info|debug|static|data|dist|py|terminfo|getent))?\Z")
_QUERY = "SELECT a.path, b.path FROM Refs JOIN ValidPaths a ON a.id = referrer JOIN ValidPaths b ON b.id = reference"


def read(view: View) -> Iterator[Package]:
    """Yield a package for each path of the store, but recipes (`.drv`)."""
    paths = sorted(path for path in view.files if path.startswith(STORES) and path.count(b"/") == 2)
    if not paths:
        return
    log = view.files.get(DATABASE + b"-wal", b"")
    references: dict[str, tuple[str, ...]] = {}
    if DATABASE in view.files:
        references = (view.once(_logged, view.files[DATABASE], log) if log else view.parsed(DATABASE, _references)) or {}
    needed = {other for others in references.values() for other in others}
    for count, path in enumerate(paths):
        if count == MAX_RECORDS:
            view.note(path, f"only the first {MAX_RECORDS} store paths were read")
            return
        match = _FOLDER.match(text(path.rpartition(b"/")[2]))
        if match is None or match[2].endswith((".drv", ".lock", ".chroot")):
            continue
        versioned = _VERSIONED.match(match[2])
        name, version, output = versioned.groups() if versioned else (match[2], "", None)
        place = f"/{text(path)}"
        yield Package(
            type="nix",
            name=name,
            version=version,
            arch=None,
            purl=purl("nix", None, name, version, (("output", output or ""), ("outputhash", match[1]))),
            origin=path,
            location=path,
            paths=(path,),
            trees=(path,),
            requires=references.get(place, ()),
            reason="dependency" if place in needed else None,
            evidence=f"/{DATABASE.decode()}: another store path refers to it" if place in needed else None,
        )


def _references(content: bytes, _problems: list[str], log: bytes = b"") -> dict[str, tuple[str, ...]]:
    found: dict[str, list[str]] = {}
    for referrer, reference in sqlite.query(content, _QUERY, log):
        if referrer != reference:
            found.setdefault(text(referrer), []).append(text(reference))
    return {path: tuple(others) for path, others in found.items()}


def _logged(content: bytes, log: bytes) -> dict[str, tuple[str, ...]]:
    try:
        return _references(content, [], log)
    except ValueError:
        return {}


NIX = Database(
    "nix", (DATABASE.decode(), DATABASE.decode() + "-wal"), read, places=tuple(store.decode() + "*" for store in STORES)
)
