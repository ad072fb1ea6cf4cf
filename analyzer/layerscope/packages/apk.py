"""Which Alpine packages are installed, and who asked for them?

The format is apk-tools' `installed`: one `X:value` a line, a record ends at a line shorter than two characters. The
files of a record are its `R` lines, each below the last `F` line.
"""

from __future__ import annotations

from base64 import b64decode
from typing import TYPE_CHECKING

from layerscope.frozen import frozen
from layerscope.model import Package
from layerscope.packages.database import MAX_GROWTH, MAX_RECORDS, Database, Seals, View
from layerscope.packages.purl import distribution
from layerscope.packages.text import text
from layerscope.regex import regex

if TYPE_CHECKING:
    from collections.abc import Iterator

INSTALLED = (b"lib/apk/db/installed", b"usr/lib/apk/db/installed")
WORLD = b"etc/apk/world"

_RECORD_END = regex(rb"\n.?(?=\n|\Z)")
_NAME_END = regex(rb"[=<>~@]")


@frozen
class _Record:
    """The fields of one record.

    names       what it provides beside its own name
    conditions  names that, once all of them are there, make apk install it
    """

    name: str
    version: str
    arch: str | None
    license: str | None
    origin: str | None
    names: tuple[str, ...]
    depends: tuple[str, ...]
    conditions: tuple[str, ...]
    paths: tuple[bytes, ...]


def read(view: View) -> Iterator[Package]:
    """Yield the installed packages."""
    path = next((path for path in INSTALLED if path in view.files), None)
    if path is None:
        return
    chunks = [chunk for chunk in _RECORD_END.split(view.files[path]) if not chunk.isspace() and chunk]
    records: list[_Record] = []
    for chunk in chunks[:MAX_RECORDS]:
        record = view.once(_record, chunk)
        if record is None:
            view.note(path, f"a record that is no package was left out: {text(chunk[:40])!r}")
        else:
            records.append(record)
    if len(chunks) > MAX_RECORDS:
        view.note(path, f"only the first {MAX_RECORDS} records were read")
    providers: dict[str, str] = {}
    for record in records:
        for name in record.names:
            providers.setdefault(name, record.name)
    providers.update((record.name, record.name) for record in records)
    followers = _followers(records, providers)
    world = view.files.get(WORLD)
    asked = None if world is None else {providers.get(name, name) for name in _names(world)}
    for record in records:
        yield Package(
            type="apk",
            name=record.name,
            version=record.version,
            arch=record.arch,
            purl=distribution("apk", view.release, record.name, record.version, record.arch),
            origin=path,
            paths=record.paths,
            requires=_resolve(record, providers),
            recommends=tuple(followers.get(record.name, ())),
            reason=None if asked is None else "asked" if record.name in asked else "dependency",
            license=record.license,
            source=record.origin,
            system=True,
            evidence=None if asked is None else _evidence(record.name, record.name in asked),
        )


def _evidence(name: str, asked: bool) -> str:
    """Return what tells why a package is there. `apk add --virtual .NAME` makes one that has nothing but dependencies."""
    world = f"/{WORLD.decode()}"
    if not asked:
        return f"{world} does not list it"
    return f"{world} lists it" + (": made by apk add --virtual" if name.startswith(".") else "")


def _record(chunk: bytes) -> _Record | None:
    """Parse one record, None if it has no name, no version, or absurd folders."""
    fields: dict[bytes, bytes] = {}
    paths: list[bytes] = []
    folder = b""
    room = MAX_GROWTH * len(chunk)
    for line in chunk.split(b"\n"):
        letter = line[:2]
        if letter == b"R:":
            room -= len(folder)
            if room < 0:
                return None
            paths.append(folder + line[2:])
        elif letter == b"F:":
            folder = line[2:].strip(b"/") + b"/" if len(line) > 2 else b""
        elif letter[1:] == b":":
            fields.setdefault(letter, line[2:])
    name, version = text(fields.get(b"P:")), text(fields.get(b"V:"))
    if not name or not version:
        return None
    return _Record(
        name=name,
        version=version,
        arch=text(fields.get(b"A:")) or None,
        license=text(fields.get(b"L:")) or None,
        origin=text(fields.get(b"o:")) or None,
        names=_names(fields.get(b"p:", b"")),
        depends=_names(fields.get(b"D:", b"")),
        conditions=_names(fields.get(b"i:", b"")),
        paths=tuple(paths),
    )


def seals(view: View) -> Iterator[Seals]:
    """Yield the digest of each package's files: apk writes SHA-1 behind `Q1`, its version 3 SHA-256 behind `Q2`."""
    path = next((path for path in INSTALLED if path in view.files), None)
    for chunk in _RECORD_END.split(view.files[path])[: 2 * MAX_RECORDS] if path is not None else ():
        yield from view.once(_seals, chunk)


def _seals(chunk: bytes) -> tuple[Seals, ...]:
    """Parse the files of one record. What lies below etc/ people are meant to change: apk keeps their version."""
    found: dict[bytes, dict[bytes, bytes]] = {b"Q1": {}, b"Q2": {}}
    name, folder, path = "", b"", b""
    room = MAX_GROWTH * len(chunk)
    for line in chunk.split(b"\n"):
        letter = line[:2]
        if letter == b"P:":
            name = text(line[2:])
        elif letter == b"F:":
            folder = line[2:].strip(b"/") + b"/" if len(line) > 2 else b""
        elif letter == b"R:":
            room -= len(folder)
            if room < 0:
                return ()
            path = folder + line[2:]
        elif letter == b"Z:" and path and line[2:4] in found:
            try:
                found[line[2:4]][path] = b64decode(line[4:], validate=True)
            except ValueError:
                continue
    return tuple(
        Seals(f"apk:{name}", algorithm, digests, frozenset(path for path in digests if path.startswith(b"etc/")))
        for algorithm, digests in (("sha1", found[b"Q1"]), ("sha256", found[b"Q2"]))
        if digests
    )


def _names(tokens: bytes) -> tuple[str, ...]:
    """Return the names in a list of `name[@tag][op version]`, without the conflicts (`!name`)."""
    return tuple(text(_NAME_END.split(token, 1)[0]) for token in tokens.split() if not token.startswith(b"!"))


def _resolve(record: _Record, providers: dict[str, str]) -> tuple[str, ...]:
    """Return the packages that a record depends on; what nothing installed provides stays as it is written."""
    needed = dict.fromkeys(providers.get(name, name) for name in record.depends)
    needed.pop(record.name, None)
    return tuple(needed)


def _followers(records: list[_Record], providers: dict[str, str]) -> dict[str, dict[str, None]]:
    """Return package -> what apk installed because it and others are there (`install_if`).

    Of several that must be there it is the one that was built from the same source, else the last: `curl`, not `docs`, has
    `curl-doc`.
    """
    sources = {record.name: record.origin for record in records}
    found: dict[str, dict[str, None]] = {}
    for record in records:
        there = [providers[name] for name in record.conditions if name in providers]
        if there and len(there) == len(record.conditions):
            kin = [name for name in there if record.origin and sources[name] == record.origin]
            holder = (kin or there)[-1]
            if holder != record.name:
                found.setdefault(holder, {})[record.name] = None
    return found


APK = Database("apk", (*(path.decode() for path in INSTALLED), WORLD.decode()), read, seals=seals)
