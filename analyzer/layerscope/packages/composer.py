"""Which PHP packages did composer install, and for what?

`vendor/composer/installed.json` lists them; the application's composer.json stands beside `vendor`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from layerscope.frozen import frozen
from layerscope.model import Package
from layerscope.packages.database import MAX_RECORDS, Database, View, bloated
from layerscope.packages.paths import join, parent
from layerscope.packages.purl import purl
from layerscope.packages.text import load_json, text

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_INSTALLED = b"composer/installed.json"


@frozen
class _Entry:
    name: str
    version: str
    license: str | None
    place: bytes
    requires: tuple[str, ...]
    dev: bool


def read(view: View) -> Iterator[Package]:
    """Yield the installed packages; `vendor/composer` itself stays with the application."""
    for path in sorted(path for path in view.files if path.endswith(b"/" + _INSTALLED)):
        entries = view.parsed(path, _installed) or ()
        vendor = parent(parent(path))
        asking = view.parsed(join(parent(vendor), b"composer.json"), _asked)
        if bloated(vendor, len(entries), view.files[path]):
            view.note(path, "its paths would be absurdly long")
            continue
        for entry in entries:
            folder = join(vendor + b"/composer", entry.place)
            reason, evidence = _reason(entry, asking)
            space, _, name = entry.name.rpartition("/")
            yield Package(
                type="composer",
                name=entry.name,
                version=entry.version,
                arch=None,
                purl=purl("composer", space, name, entry.version),
                origin=path,
                location=folder,
                trees=(folder,) if folder.startswith(vendor + b"/") else (),
                requires=entry.requires,
                reason=reason,
                license=entry.license,
                evidence=evidence,
            )


def _reason(entry: _Entry, asking: tuple[str, ...] | None) -> tuple[str | None, str | None]:
    if entry.dev:
        return "dev", "composer's installed.json lists it under dev-package-names"
    if asking is None:
        return None, None
    return ("asked", "composer.json lists it") if entry.name in asking else ("dependency", None)


def _installed(content: bytes, problems: list[str]) -> tuple[_Entry, ...]:
    """Parse the list of version 2, or the bare one of version 1."""
    document = load_json(content)
    listed, dev = (
        (document.get("packages"), document.get("dev-package-names")) if isinstance(document, dict) else (document, None)
    )
    developed = frozenset(name for name in dev if isinstance(name, str)) if isinstance(dev, list) else frozenset()
    found = []
    for told in (listed if isinstance(listed, list) else ())[:MAX_RECORDS]:
        entry = _entry(told, developed) if isinstance(told, dict) else None
        if entry is None:
            problems.append("a package without a name or a version was left out")
        else:
            found.append(entry)
    return tuple(found)


def _entry(told: Mapping[str, Any], dev: frozenset[str]) -> _Entry | None:
    name, version, place = text(told.get("name")), text(told.get("version")), text(told.get("install-path"))
    if not name or not version:
        return None
    licenses = told.get("license")
    return _Entry(
        name=name,
        version=version,
        license=", ".join(map(text, licenses))[:200] or None if isinstance(licenses, list) else text(licenses) or None,
        place=(place or f"../{name}").encode(),
        requires=_keys(told.get("require")),
        dev=name in dev,
    )


def _asked(content: bytes, _problems: list[str]) -> tuple[str, ...]:
    document = load_json(content)
    return _keys(document.get("require")) if isinstance(document, dict) else ()


def _keys(value: object) -> tuple[str, ...]:
    """Return the packages of a list of requirements; `php` and `ext-json` are none."""
    return tuple(name for name in map(text, value) if "/" in name) if isinstance(value, dict) else ()


COMPOSER = Database("composer", (f"**/{_INSTALLED.decode()}", "**/composer.json"), read)
