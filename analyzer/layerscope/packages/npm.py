"""Which npm packages are installed, and for what?

A package is a folder directly below `node_modules`, or below a scope there, with a package.json; pnpm's store and
nested folders fit that rule. npm 7 and later write what they installed to `node_modules/.package-lock.json`: where it
lists a folder that is there, it is believed, and tells development packages. The application's own package.json, beside
a `node_modules` or a lock file, is a package too (reason "root"). It claims its folder as far as no deeper claim is
found, but not where that folder is shared with the system: the root of the image, `usr`, `home`, and their like
(`SHARED`).

pnpm keeps each version once, in `node_modules/.pnpm`, and links what a package may use beside it: the link tells which of
several versions that is. A link out of `node_modules` leads to a package of the application's own (workspaces, `npm link`).
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from layerscope.frozen import frozen
from layerscope.model import Package
from layerscope.packages.database import MAX_RECORDS, Database, View, bloated
from layerscope.packages.paths import SHARED, join, parent
from layerscope.packages.purl import purl
from layerscope.packages.text import load_json, text

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

MAX_MANIFEST = 4 << 20
"""Bytes of a package.json that is read."""

MAX_LOCK = 64 << 20
"""Bytes of a hidden lock file that is read."""

LOCKS = (b"package-lock.json", b"npm-shrinkwrap.json", b"yarn.lock", b"pnpm-lock.yaml")

_Place = tuple[bytes | None, bytes | None, bytes | None, bytes | None]
_Entrances = dict[bytes, list[tuple[bytes, str]]]
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
    folders, roots, links = _folders(view)
    applications = {}
    for folder, link in roots.items():
        manifest = view.parsed(_inside(folder, _MANIFEST), _manifest)
        if manifest is not None:
            applications[folder] = manifest
            evidence = f"/{text(_inside(folder, _MANIFEST))} stands beside node_modules or a lock file"
            evidence = evidence if link is None else f"/{text(link)} leads to it"
            trees = () if folder in SHARED else (folder,)
            yield view.once(_package, folder, _wire(folder, manifest, links), "root", evidence, trees)
    locked = _locked(view)
    entrances = _entrances(links, applications)
    for count, folder in enumerate(folders):
        if count == MAX_RECORDS:
            view.note(folder + _MANIFEST, f"only the first {MAX_RECORDS} packages were read")
            return
        told = locked.get(folder)
        manifest = told or view.parsed(folder + _MANIFEST, _manifest)
        if manifest is not None:
            reason = _reason(folder, manifest, applications, entrances, locked=told is not None)
            yield view.once(_package, folder, _wire(folder, manifest, links), *reason, (folder,))


def _folders(view: View) -> tuple[list[bytes], dict[bytes, bytes | None], dict[bytes, bytes]]:
    """Return the folders of the packages, those of the applications with the links that led to them, and where links lead."""
    known: dict[bytes, _Place] = view.memo.setdefault(_place, {})
    for path in view.files.keys() - known.keys():
        known[path] = _place(path)
    places = [known[path] for path in view.files]
    beside = {folder for _, _, folder, _ in places}
    packages = sorted([folder for folder, _, _, _ in places if folder is not None])
    found: dict[bytes, bytes | None] = {folder: None for _, folder, _, _ in places if folder is not None and folder in beside}
    links = {}
    for _, _, _, link in places:
        target = None if link is None else join(parent(link), view.files[link])
        if link is not None and target and target + _MANIFEST in view.files:
            links[link] = target
            if b"/node_modules/" not in b"/" + target:
                found.setdefault(target, link)
    return packages, dict(sorted(found.items())), links


def _place(path: bytes) -> _Place:
    """Return of which package a file tells, of which application it may, beside what it shows that there is one; or a link."""
    folder, _, name = path.rpartition(b"/")
    modules = (b"/" + path).find(b"/node_modules/")
    if modules >= 0:
        package = folder if name == b"package.json" and _is_package(folder) else None
        return package, None, path[: max(modules - 1, 0)], path if _is_package(path) else None
    return None, folder if name == b"package.json" else None, folder if name in LOCKS else None, None


def _entrances(links: Mapping[bytes, bytes], applications: Mapping[bytes, _Manifest]) -> _Entrances:
    """Return folder -> the applications that have a link to it in their `node_modules`, and its name there."""
    found: _Entrances = {}
    for link, target in links.items():
        base, _, name = (b"/" + link).partition(b"/node_modules/")
        if base[1:] in applications:
            found.setdefault(target, []).append((base[1:], text(name)))
    return found


def _wire(folder: bytes, manifest: _Manifest, links: Mapping[bytes, bytes]) -> _Manifest:
    """Return what a package tells, with the places that links lead to instead of the names of what it requires."""
    if not links:
        return manifest
    above, modules, _ = (b"/" + folder).rpartition(b"/node_modules/")
    home = (above + modules)[1:] if modules else _inside(folder, b"/node_modules/")

    def wired(names: tuple[str, ...]) -> tuple[str, ...]:
        targets = [links.get(home + name.encode("utf-8", "surrogateescape")) for name in names]
        return tuple(name if target is None else f"/{text(target)}" for name, target in zip(names, targets, strict=True))

    return replace(manifest, requires=wired(manifest.requires), develops=wired(manifest.develops))


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
    folder: bytes, manifest: _Manifest, applications: Mapping[bytes, _Manifest], entrances: _Entrances, *, locked: bool
) -> tuple[str | None, str | None]:
    """Return why a package is there and what tells: the lock file "dev", the application "asked"; None where neither does.

    What the application lists for development alone may be there for another package as well: the lock file knows.
    """
    if manifest.dev:
        return "dev", "the lock file marks it dev"
    base, _, below = (b"/" + folder).partition(b"/node_modules/")
    stored = below.startswith(b".pnpm/")
    nested = b"/node_modules/" in below and not stored
    known = [] if nested or base[1:] not in applications else [(base[1:], text(below.rpartition(b"node_modules/")[2]))]
    if stored and entrances:
        known = entrances.get(folder, [])
    developing = None
    for place, name in known:
        application, listed = applications[place], f"/{text(_inside(place, _MANIFEST))} lists it"
        if name in application.requires:
            return "asked", listed
        if not locked and name in application.develops:
            developing = f"{listed} under devDependencies"
    if developing is not None:
        return "dev", developing
    return ("dependency" if nested or base[1:] in applications else None), None


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
    document = load_json(content)
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
    document = load_json(content)
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
    links=_is_package,
)
