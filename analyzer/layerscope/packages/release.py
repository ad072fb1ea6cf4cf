"""Which distribution is it?"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from layerscope.model import Release
from layerscope.packages.text import text
from layerscope.regex import regex

if TYPE_CHECKING:
    from collections.abc import Mapping

OS_RELEASE = (b"etc/os-release", b"usr/lib/os-release")
ALPINE_RELEASE = b"etc/alpine-release"
DEBIAN_VERSION = b"etc/debian_version"
PATTERNS = tuple(path.decode() for path in (*OS_RELEASE, ALPINE_RELEASE, DEBIAN_VERSION))

_ASSIGNMENT = regex(rb"^[ \t]*([A-Z_]+)=(.*)$", re.MULTILINE)
_ESCAPE = regex(r"\\(.)")


def read_release(contents: Mapping[bytes, bytes]) -> Release | None:
    """Return what os-release tells, else what older files of Alpine and Debian do; None if none of them is there."""
    for path in OS_RELEASE:
        values = {key.decode(): _value(raw) for key, raw in _ASSIGNMENT.findall(contents.get(path, b""))}
        if values.get("ID"):
            return Release(values["ID"].lower(), values.get("VERSION_ID") or None, values.get("PRETTY_NAME") or None)
    for path, id_, title in (
        (ALPINE_RELEASE, "alpine", "Alpine Linux"),
        (DEBIAN_VERSION, "debian", "Debian GNU/Linux"),
    ):
        version = text(contents.get(path, b"").partition(b"\n")[0])
        if version:
            return Release(id_, version, f"{title} {version}")
    return None


def _value(raw: bytes) -> str:
    """Undo the shell quoting of one value."""
    value = text(raw)
    if value[:1] == "'" and value[-1:] == "'":
        return value[1:-1]
    if value[:1] == '"' and value[-1:] == '"':
        return _ESCAPE.sub(r"\1", value[1:-1])
    return value
