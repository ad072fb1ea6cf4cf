"""Which Python distributions are installed?

By `*.dist-info` (METADATA, RECORD, REQUESTED) and the older `*.egg-info`, folder or file, and `*.egg`, folder or zip archive.
Compiled modules that no RECORD lists belong to the module's owner; `claims` sees to that.
"""

from __future__ import annotations

import csv
import re
from base64 import urlsafe_b64decode
from collections import defaultdict
from typing import TYPE_CHECKING

from layerscope.frozen import frozen
from layerscope.model import Package
from layerscope.packages.database import MAX_RECORDS, Database, Seals, View, bloated
from layerscope.packages.extras import Wish, normal, python_of, read_wish, resolve
from layerscope.packages.paths import join, parent
from layerscope.packages.purl import purl
from layerscope.packages.text import load_json, text
from layerscope.packages.zips import Allowance, members, unpack
from layerscope.regex import regex

if TYPE_CHECKING:
    from collections.abc import Container, Iterator, Mapping

    from layerscope.archive.inspection import Content

_FIELD = regex(rb"\n(Name|Version|License|License-Expression|Requires-Dist)[ \t]*:[ \t]*(.*)", re.IGNORECASE)
_HEADER_END = regex(rb"\r?\n\r?\n")
_EGG = b".egg"
_EGG_INFO = b".egg/EGG-INFO/PKG-INFO"
_SECTION = regex(rb"\[([^]:]*):?([^]]*)\]")
_MAX_LICENSE = 100
"""Characters; some distributions put the whole text there."""

_MAX_PKG_INFO = 4 << 20


@frozen
class _Metadata:
    """What METADATA or PKG-INFO tells."""

    name: str
    version: str
    license: str | None
    wishes: tuple[Wish, ...]


def read(view: View) -> Iterator[Package]:
    """Yield the installed distributions."""
    found: dict[bytes, _Metadata] = {}
    for path in sorted(view.files):
        if path.endswith((b".dist-info/METADATA", b".egg-info/PKG-INFO", b".egg-info", _EGG_INFO, _EGG)):
            metadata = view.parsed(path, _metadata)
            if metadata is not None:
                found[path] = metadata
            if len(found) == MAX_RECORDS:
                view.note(path, f"only the first {MAX_RECORDS} distributions were read")
                break
    requested = {parent(path) for path in view.files if path.endswith(b"/REQUESTED")}
    asking = {parent(folder) for folder in requested}
    names = {normal(metadata.name): metadata.name for metadata in found.values()}
    needs = _needs(view, found, requested)
    for path, metadata in found.items():
        folder = _folder(path)
        site = parent(folder)
        paths, trees = _claims(view, folder)
        yield Package(
            type="pypi",
            name=metadata.name,
            version=metadata.version,
            arch=None,
            purl=purl("pypi", None, metadata.name, metadata.version),
            origin=path,
            location=site,
            paths=paths,
            trees=trees,
            requires=tuple(names.get(name, name) for name in needs[site][normal(metadata.name)]),
            # An installer that marks nothing as requested tells nothing about the others either.
            reason="asked" if folder in requested else "dependency" if site in asking else None,
            license=metadata.license,
            evidence=_evidence(view, folder) if folder in requested else None,
        )


def _evidence(view: View, folder: bytes) -> str:
    """Return what tells that a distribution was asked for: the mark of the installer, and the address if there was one."""
    address = view.parsed(folder + b"/direct_url.json", _address)
    return f"REQUESTED beside its METADATA{f', from {address}' if address else ''}"


def _address(content: bytes, _problems: list[str]) -> str:
    document = load_json(content)
    return text(document.get("url")) if isinstance(document, dict) else ""


def _folder(path: bytes) -> bytes:
    """Return the folder that tells of a distribution, or its only file."""
    if path.endswith(_EGG_INFO):
        return parent(parent(path))
    return path if path.endswith((b".egg-info", _EGG)) else parent(path)


def _needs(
    view: View, found: Mapping[bytes, _Metadata], requested: Container[bytes]
) -> dict[bytes, Mapping[str, tuple[str, ...]]]:
    """Return, for each folder of distributions, what each of them needs there."""
    sites: defaultdict[bytes, dict[str, tuple[Wish, ...]]] = defaultdict(dict)
    asked: defaultdict[bytes, list[str]] = defaultdict(list)
    for path, metadata in found.items():
        folder = _folder(path)
        site, name = parent(folder), normal(metadata.name)
        inside = folder + b"/EGG-INFO" if folder.endswith(_EGG) else folder
        sites[site][name] = (view.parsed(inside + b"/requires.txt", _sections) or ()) + metadata.wishes
        if folder in requested:
            asked[site].append(name)
    return {
        site: view.once(_resolve, tuple(wishes.items()), tuple(asked[site]), python_of(site)) for site, wishes in sites.items()
    }


def _resolve(
    wishes: tuple[tuple[str, tuple[Wish, ...]], ...], asked: tuple[str, ...], version: str | None
) -> Mapping[str, tuple[str, ...]]:
    return resolve(dict(wishes), asked, version)


def _metadata(content: bytes, problems: list[str]) -> _Metadata | None:
    fields: dict[bytes, list[str]] = {}
    for name, value in _FIELD.findall(b"\n" + _HEADER_END.split(content, 1)[0]):
        fields.setdefault(name.lower(), []).append(text(value))
    name = fields.get(b"name", [""])[0]
    version = fields.get(b"version", [""])[0]
    if not name or not version:
        problems.append("a distribution without a name or a version was left out")
        return None
    license_ = (fields.get(b"license-expression") or fields.get(b"license") or [""])[0]
    told = len(license_) <= _MAX_LICENSE and any(map(str.isalnum, license_))  # no rule of `===` above a text
    wishes = filter(None, map(read_wish, fields.get(b"requires-dist", [])))
    return _Metadata(name, version, license_ if told else None, tuple(dict.fromkeys(wishes)))


def _sections(content: bytes, _problems: list[str]) -> tuple[Wish, ...]:
    """Parse `requires.txt` of an egg: a requirement a line, below `[extra:marker]` those that hold only then."""
    wishes, marker = [], ""
    for line in map(bytes.strip, content.splitlines()):
        section = _SECTION.fullmatch(line)
        if section:
            extra = f"extra == '{text(section[1])}'" if section[1] else ""
            marker = " and ".join(part for part in (f"({text(section[2])})" if section[2] else "", extra) if part)
        elif line and not line.startswith(b"#") and (wish := read_wish(text(line), marker)) is not None:
            wishes.append(wish)
    return tuple(wishes)


def is_egg(path: bytes) -> bool:
    """Tell by its name whether a file may be an egg."""
    return path.endswith(_EGG)


def inspect(path: bytes, content: Content) -> bytes | None:
    """Return PKG-INFO of an egg that is a zip archive, None of anything else."""
    if not is_egg(path):
        return None
    try:
        member = next((one for one in members(content) if one.name == b"EGG-INFO/PKG-INFO"), None)
        return None if member is None else unpack(content, member, Allowance(), _MAX_PKG_INFO)
    except ValueError:
        return None


def _claims(view: View, folder: bytes) -> tuple[tuple[bytes, ...], tuple[bytes, ...]]:
    """Return the files and the folders that a distribution claims, by the best list that it has."""
    site = parent(folder)
    if folder.endswith(_EGG):
        return (folder,), (folder,)
    for path, base in ((folder + b"/RECORD", site), (folder + b"/installed-files.txt", folder)):
        listed = view.parsed(path, _record if base is site else _lines)
        if listed is not None and bloated(base, len(listed), view.files[path]):
            view.note(path, "its paths would be absurdly long")
        elif listed is not None:
            return view.once(_places, base, listed), (folder,)
    modules = view.parsed(folder + b"/top_level.txt", _lines) or ()
    places = [join(site, module) for module in modules]
    # One at the root of the site, or above it, would claim everybody's files.
    places = [place for place in places if len(place) > len(site) and place.startswith(site)]
    return (folder, *(place + b".py" for place in places)), (folder, *places)


def _places(base: bytes, listed: tuple[bytes, ...]) -> tuple[bytes, ...]:
    return tuple([join(base, path) for path in listed])


def _record(content: bytes, problems: list[str]) -> tuple[bytes, ...]:
    """Parse RECORD: path, hash, size, as comma-separated values."""
    if b'"' not in content:
        return tuple([line.rsplit(b",", 2)[0] for line in content.splitlines() if line])
    try:
        rows = csv.reader(content.decode("utf-8", "surrogateescape").splitlines())
        return tuple([row[0].encode("utf-8", "surrogateescape") for row in rows if row and row[0]])
    except csv.Error as error:
        problems.append(f"RECORD: {error}")
        return ()


def seals(view: View) -> Iterator[Seals]:
    """Yield the digests in each RECORD. One installed from an address of its own (`direct_url.json`) may be anybody's own."""
    for path in sorted(view.files):
        if not path.endswith(b".dist-info/RECORD"):
            continue
        folder = parent(path)
        metadata = view.parsed(folder + b"/METADATA", _metadata)
        if metadata is not None:
            own = folder + b"/direct_url.json" in view.files
            found = view.once(_seals, metadata.name, parent(folder), view.files[path], not own)
            if found is not None:
                yield found


def _seals(name: str, site: bytes, record: bytes, published: bool) -> Seals | None:
    listed = _digests(record)
    if not listed or bloated(site, len(listed), record):
        return None
    digests = {join(site, path): one for path, one in listed.items()}
    # Modules that a wheel brings compiled are compiled again by whoever comes first.
    compiled = frozenset(path for path in digests if path.endswith(b".pyc"))
    return Seals(f"pypi:{name}", "sha256", digests, compiled, published)


def _digests(content: bytes) -> dict[bytes, bytes]:
    """Parse RECORD to path -> SHA-256; rows without one (RECORD itself, compiled modules) are left out."""
    found: dict[bytes, bytes] = {}
    try:
        for row in csv.reader(content.decode("utf-8", "surrogateescape").splitlines()):
            if len(row) >= 2 and row[1].startswith("sha256="):
                digest = urlsafe_b64decode(row[1][7:] + "=")
                found[row[0].encode("utf-8", "surrogateescape")] = digest
    except (csv.Error, ValueError):  # `read` tells
        return found
    return found


def _lines(content: bytes, _problems: list[str]) -> tuple[bytes, ...]:
    return tuple(line for line in map(bytes.strip, content.splitlines()) if line)


PYTHON = Database(
    "python",
    (
        "**/*.dist-info/METADATA",
        "**/*.dist-info/RECORD",
        "**/*.dist-info/REQUESTED",
        "**/*.dist-info/direct_url.json",
        "**/*.dist-info/top_level.txt",
        "**/*.egg-info",
        "**/*.egg-info/PKG-INFO",
        "**/*.egg-info/installed-files.txt",
        "**/*.egg-info/requires.txt",
        "**/*.egg-info/top_level.txt",
        "**/*.egg/EGG-INFO/PKG-INFO",
        "**/*.egg/EGG-INFO/requires.txt",
    ),
    read,
    inspect=inspect,
    named=is_egg,
    seals=seals,
)
