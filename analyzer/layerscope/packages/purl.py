"""What is a package's URL?

The packageurl library says what is right, and the tests compare with it; but an image may hold thousands of packages,
and for them it takes longer than everything else here together.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING
from urllib.parse import quote

if TYPE_CHECKING:
    from layerscope.model import Release

_LOWER_NAMES = frozenset({"alpm", "apk", "composer", "npm", "pypi"})


def purl(type_: str, namespace: str | None, name: str, version: str, qualifiers: tuple[tuple[str, str], ...] = ()) -> str:
    """Return the package URL; `qualifiers` are sorted by key, those without a value are left out."""
    name = name.strip().strip("/")
    if type_ in _LOWER_NAMES:
        name = name.lower()
    if type_ == "pypi":
        name = name.replace("_", "-")
    parts = ["pkg:", type_, "/"]
    if namespace:
        namespace = namespace.lower() if type_ == "composer" else namespace
        parts += "/".join(map(_quote, filter(None, namespace.split("/")))), "/"
    parts.append(_quote(name))
    if version:
        parts += "@", _quote(version)
    told = "&".join(f"{key}={_quote(value)}" for key, value in qualifiers if value)
    if told:
        parts += "?", told
    return "".join(parts)


def distribution(type_: str, release: Release | None, name: str, version: str, arch: str | None) -> str:
    """Return the package URL of a distribution's package."""
    distro = "-".join(part for part in (release.id, release.version_id) if part) if release else ""
    return purl(type_, release.id if release else None, name, version, (("arch", arch or ""), ("distro", distro)))


@lru_cache(maxsize=4096)
def _quote(value: str) -> str:
    return quote(value, safe=":")
