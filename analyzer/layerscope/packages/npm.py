"""Which npm packages are installed, and for what?

A package is a folder directly below `node_modules`, or below a scope there, with a package.json; pnpm's store and
nested folders fit that rule. npm 7 and later write what they installed to `node_modules/.package-lock.json`: where it
lists a folder that is there, it is believed, and tells development packages. The application's own package.json, beside
a `node_modules` or a lock file, is a package too (reason "root"). It claims its folder as far as no deeper claim is
found, but not where that folder is shared with the system: the root of the image, `usr`, `home`, and their like
(`SHARED`).
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from layerscope.frozen import frozen
from layerscope.model import Package
from layerscope.packages.database import MAX_RECORDS, Database, View, bloated
from layerscope.packages.paths import SHARED, parent
from layerscope.packages.purl import purl
from layerscope.packages.text import text

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

MAX_MANIFEST = 4 << 20
"""Bytes of a package.json that is read."""

MAX_LOCK = 64 << 20
"""Bytes of a hidden lock file that is read."""

LOCKS = (b"package-lock.json", b"npm-shrinkwrap.json", b"yarn.lock", b"pnpm-lock.yaml")

_Place = tuple[bytes | None, bytes | None, bytes | None]
_MODULES = b"node_modules"
_LOCK = b"/.package-lock.json"
_MANIFEST = b"/package.json"


@frozen
class _Manifest:
    """What a package.json, or an entry of the lock file, tells of one package."""

    name: str
    version: str
    license: str | None
    requires: tuple[str, ...]
    develops: tuple[str, ...] = ()
    dev: bool = False


def read(view: View) -> Iterator[Package]:
    """Yield the installed packages and the applications."""
    folders, roots = _folders(view)
    applications = {}
    for folder in roots:
        manifest = view.parsed(_inside(folder, _MANIFEST), _manifest)
        if manifest is not None:
            applications[folder] = manifest
            evidence = f"/{text(_inside(folder, _MANIFEST))} stands beside node_modules or a lock file"
            yield view.once(_package, folder, manifest, "root", evidence, () if folder in SHARED else (folder,))
    locked = _locked(view)
    for count, folder in enumerate(folders):
        if count == MAX_RECORDS:
            view.note(folder + _MANIFEST, f"only the first {MAX_RECORDS} packages were read")
            return
        told = locked.get(folder)
        manifest = told or view.parsed(folder + _MANIFEST, _manifest)
        if manifest is not None:
            reason = _reason(folder, manifest, applications, locked=told is not None)
            yield view.once(_package, folder, manifest, *reason, (folder,))


def _folders(view: View) -> tuple[list[bytes], list[bytes]]:
    """Return the folders of the packages, and those of the applications."""
    known: dict[bytes, _Place] = view.memo.setdefault(_place, {})
    for path in view.files.keys() - known.keys():
        known[path] = _place(path)
    places = [known[path] for path in view.files]
    beside = {folder for _, _, folder in places}
    packages = sorted([folder for folder, _, _ in places if folder is not None])
    return packages, sorted([folder for _, folder, _ in places if folder is not None and folder in beside])


def _place(path: bytes) -> _Place:
    """Return of which package a file tells, of which application it may, and beside what it shows that there is one."""
    folder, _, name = path.rpartition(b"/")
    modules = (b"/" + path).find(b"/node_modules/")
    if modules >= 0:
        return folder if name == b"package.json" and _is_package(folder) else None, None, path[: max(modules - 1, 0)]
    return None, folder if name == b"package.json" else None, folder if name in LOCKS else None


def _is_package(folder: bytes) -> bool:
    above, _, name = folder.rpartition(b"/")
    grand, _, scope = above.rpartition(b"/")
    if scope.startswith(b"@"):
        scope = grand.rpartition(b"/")[2]
    return scope == _MODULES and not name.startswith((b".", b"@"))


def _package(folder: bytes, manifest: _Manifest, reason: str | None, evidence: str | None, trees: tuple[bytes, ...]) -> Package:
    scope, _, name = manifest.name.rpartition("/")
    return Package(
        type="npm",
        name=manifest.name,
        version=manifest.version,
        arch=None,
        purl=purl("npm", scope, name, manifest.version),
        origin=_inside(folder, _MANIFEST),
        location=folder,
        trees=trees,
        requires=manifest.requires,
        recommends=manifest.develops if reason == "root" else (),
        reason=reason,
        license=manifest.license,
        evidence=evidence,
    )


def _reason(
    folder: bytes, manifest: _Manifest, applications: Mapping[bytes, _Manifest], *, locked: bool
) -> tuple[str | None, str | None]:
    """Return why a package is there and what tells: the lock file "dev", the application "asked"; None where neither does.

    What the application lists for development alone may be there for another package as well: the lock file knows.
    """
    if manifest.dev:
        return "dev", "the lock file marks it dev"
    base, _, below = (b"/" + folder).partition(b"/node_modules/")
    application = applications.get(base[1:])
    nested = b"/node_modules/" in below and not below.startswith(b".pnpm/")
    if not nested and application is not None:
        listed = f"/{text(_inside(base[1:], _MANIFEST))} lists it"
        if not locked and manifest.name in application.develops and manifest.name not in application.requires:
            return "dev", f"{listed} under devDependencies"
        if manifest.name in application.requires:
            return "asked", listed
    return ("dependency" if nested or application is not None else None), None


def _inside(folder: bytes, name: bytes) -> bytes:
    return folder + name if folder else name[1:]


def _locked(view: View) -> dict[bytes, _Manifest]:
    """Return folder -> what the hidden lock files tell; npm names folders from the one that holds `node_modules`."""
    found: dict[bytes, _Manifest] = {}
    for path in view.files:
        if path.endswith(_LOCK):
            base = parent(parent(path))
            locked = view.parsed(path, _lock) or {}
            if bloated(base, len(locked), view.files[path]):
                view.note(path, "its paths would be absurdly long")
                continue
            for name, manifest in locked.items():
                found[_inside(base, b"/" + name)] = manifest
    return found


def _lock(content: bytes, problems: list[str]) -> dict[bytes, _Manifest]:
    """Parse a hidden lock file: folder -> package."""
    if len(content) > MAX_LOCK:
        problems.append(f"larger than {MAX_LOCK} bytes")
        return {}
    document = json.loads(content)
    packages = document.get("packages") if isinstance(document, dict) else None
    found = {}
    for folder, entry in packages.items() if isinstance(packages, dict) else ():
        if not isinstance(entry, dict) or entry.get("link"):
            continue
        name = entry.get("name") or folder.rpartition("node_modules/")[2]
        manifest = _told({**entry, "name": name}, dev=entry.get("dev") is True)
        if manifest is None:
            problems.append(f"no version: {text(folder)}")
        else:
            found[folder.encode("utf-8", "replace")] = manifest
    return found


def _manifest(content: bytes, problems: list[str]) -> _Manifest | None:
    """Parse a package.json; one without a name or a version (fixtures, `{"type": "module"}`) is no package."""
    if len(content) > MAX_MANIFEST:
        problems.append(f"larger than {MAX_MANIFEST} bytes")
        return None
    document = json.loads(content)
    return _told(document) if isinstance(document, dict) else None


def _told(entry: Mapping[str, Any], *, dev: bool = False) -> _Manifest | None:
    name, version = text(entry.get("name")), text(entry.get("version"))
    if not name or not version:
        return None
    license_ = entry.get("license")
    if isinstance(license_, dict):
        license_ = license_.get("type")
    return _Manifest(
        name=name,
        version=version,
        license=text(license_) or None,
        requires=_names(entry, "dependencies") + _names(entry, "optionalDependencies") + _peers(entry),
        develops=_names(entry, "devDependencies"),
        dev=dev,
    )


def _names(entry: Mapping[str, Any], key: str) -> tuple[str, ...]:
    names = entry.get(key)
    return tuple(map(text, names)) if isinstance(names, dict) else ()


def _peers(entry: Mapping[str, Any]) -> tuple[str, ...]:
    """Return what a package needs beside itself, which npm installs since its version 7; not what is called optional."""
    told = entry.get("peerDependenciesMeta")
    meta = told if isinstance(told, dict) else {}
    optional = {name for name, one in meta.items() if isinstance(one, dict) and one.get("optional") is True}
    return tuple(name for name in _names(entry, "peerDependencies") if name not in optional)


NPM = Database(
    "npm",
    ("**/package.json", "**/node_modules/.package-lock.json", *(f"**/{name.decode()}" for name in LOCKS)),
    read,
)
