"""Is busybox there without a database?

Its version stands in the program. Its names are hard links, which have the file's owner, or symbolic ones without bytes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from layerscope.archive.inspection import Content
from layerscope.model import Package
from layerscope.packages.database import Database, View
from layerscope.packages.executables import is_executable
from layerscope.packages.purl import purl
from layerscope.packages.text import text
from layerscope.regex import regex

if TYPE_CHECKING:
    from collections.abc import Iterator

MAX_SIZE = 8 << 20

_NAMES = frozenset(b"busybox busybox.static [ [[ acpid add-shell addgroup adjtimex ar arch arp arping ascii ash sh".split())
_VERSION = regex(rb"BusyBox v(\d+\.\d+(?:\.\d+)?[\w.-]{0,20})")


def is_named(path: bytes) -> bool:
    """Tell by its name whether a program may be busybox."""
    return path.rpartition(b"/")[2] in _NAMES


def inspect(path: bytes, content: Content) -> bytes | None:
    """Return the version of busybox, None if the file is another program. Of its names the first in a tar is asked."""
    if not is_named(path) or len(content) > MAX_SIZE or not is_executable(content):
        return None
    match = _VERSION.search(content[0 : len(content)])
    return match[1] if match else None


def read(view: View) -> Iterator[Package]:
    """Yield each copy."""
    for path in sorted(view.files):
        version = text(view.files[path])
        if version:
            yield Package(
                type="generic",
                name="busybox",
                version=version,
                arch=None,
                purl=purl("generic", None, "busybox", version),
                origin=path,
                location=path,
                paths=(path,),
                evidence=f"/{text(path)} tells its version",
            )


BUSYBOX = Database("busybox", (), read, inspect=inspect, named=is_named)
