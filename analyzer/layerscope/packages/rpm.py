"""Which rpm packages are installed, whose files are they, and who asked for them?

The reason is what a front end wrote down: dnf5's `packages.toml`, dnf's `history.sqlite`, yum's `yumdb`, zypper's
`AutoInstalled`. Minimal images of Azure Linux have a table instead of a database, which lists no files.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from layerscope.model import Package
from layerscope.packages import sqlite
from layerscope.packages.database import MAX_RECORDS, Database, Seals, View
from layerscope.packages.purl import purl
from layerscope.packages.rich import names_of
from layerscope.packages.rpmdb import read_headers
from layerscope.packages.rpmheader import Header, read_header, read_seals
from layerscope.packages.text import text

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

FOLDERS = (b"var/lib/rpm/", b"usr/lib/sysimage/rpm/", b"usr/share/rpm/")
NAMES = (b"rpmdb.sqlite", b"Packages.db", b"Packages")
MANIFEST = b"var/lib/rpmmanifest/container-manifest-2"
DNF5 = b"usr/lib/sysimage/libdnf5/packages.toml"
DNF4 = (b"var/lib/dnf/history.sqlite", b"usr/lib/sysimage/dnf/history.sqlite")
YUMDB = b"var/lib/yum/yumdb/"
ZYPP = b"var/lib/zypp/AutoInstalled"

_WAL = b"-wal"
_REASONS = {
    "user": "asked", "group": "asked", "external user": "asked", "dependency": "dependency", "dep": "dependency",
    "clean": "dependency", "weak dependency": "recommended",
}  # fmt: skip
_DNF4_REASONS = {1: "dependency", 2: "user", 3: "clean", 4: "weak dependency", 5: "group"}
_DNF4_QUERY = (
    "SELECT rpm.name, rpm.arch, trans_item.reason, trans.cmdline FROM trans_item "
    "JOIN rpm ON rpm.item_id = trans_item.item_id JOIN trans ON trans.id = trans_item.trans_id ORDER BY trans_item.id"
)

Reason = tuple[str, str]
"""A reason and what tells it."""


def read(view: View) -> Iterator[Package]:
    """Yield the installed packages; the keys of vendors (`gpg-pubkey`) are rows of the database, too."""
    origin, headers = _headers(view)
    providers: dict[str, str] = {}
    for header in headers:
        for name in header.provides:
            providers.setdefault(name, header.name)
    providers.update((header.name, header.name) for header in headers)
    _add_files(providers, headers)
    reasons = _reasons(view)
    for header in headers:
        reason, evidence = _reason(header, reasons)
        yield Package(
            type="rpm",
            name=header.name,
            version=header.evr if header.epoch is None else f"{header.epoch}:{header.evr}",
            arch=header.arch,
            purl=_purl(view, header),
            origin=origin,
            paths=header.paths,
            requires=_resolve(header.name, header.requires, providers),
            recommends=_resolve(header.name, header.recommends, providers),
            reason=reason,
            license=header.license,
            source=header.source,
            system=True,
            evidence=evidence,
        )


def _headers(view: View) -> tuple[bytes, Sequence[Header]]:
    """Return the first database that holds packages, and its headers."""
    for path in (folder + name for name in NAMES for folder in FOLDERS):
        if path not in view.files:
            continue
        log = view.files.get(path + _WAL, b"")
        headers = view.parsed(path, _database) if not log else view.once(_logged, view.files[path], log)
        if headers:
            return path, headers
    return MANIFEST, view.parsed(MANIFEST, _manifest) or ()


def _database(content: bytes, problems: list[str], log: bytes = b"") -> tuple[Header, ...]:
    blobs = read_headers(content, log, problems) if content else []
    if len(blobs) > MAX_RECORDS:
        problems.append(f"only the first {MAX_RECORDS} packages were read")
    headers = [read_header(blob) for blob in blobs[:MAX_RECORDS]]
    if None in headers:
        problems.append(f"{headers.count(None)} headers that are no package were left out")
    return tuple(header for header in headers if header is not None)


def _logged(content: bytes, log: bytes) -> tuple[Header, ...]:
    try:
        return _database(content, [], log)
    except ValueError:
        return ()


def seals(view: View) -> Iterator[Seals]:
    """Yield the digests of the files that rpm verifies."""
    for path in (folder + name for name in NAMES for folder in FOLDERS):
        if path in view.files:
            yield from view.once(_seals, view.files[path], view.files.get(path + _WAL, b""))


def _seals(content: bytes, log: bytes) -> tuple[Seals, ...]:
    try:
        blobs = read_headers(content, log, []) if content else []
    except ValueError:  # `read` tells
        return ()
    return tuple(found for blob in blobs[:MAX_RECORDS] if (found := read_seals(blob)) is not None)


def _manifest(content: bytes, problems: list[str]) -> tuple[Header, ...]:
    """Parse a table: name, version-release, times, vendor, epoch, size, architecture, epoch number, source."""
    headers = []
    for line in content.split(b"\n")[:MAX_RECORDS]:
        cells = [text(cell) for cell in line.split(b"\t")]
        if len(cells) < 10 or not cells[0] or not cells[1]:
            if line.strip():
                problems.append(f"a line that is no package was left out: {text(line[:40])!r}")
            continue
        version, _, release = cells[1].partition("-")
        epoch = int(cells[5]) if cells[5].isdecimal() and len(cells[5]) < 10 else None
        source = cells[9] if cells[9] != "(none)" else None
        headers.append(Header(cells[0], version, release, epoch, cells[7] or None, None, source, (), (), (), ()))
    return tuple(headers)


def _purl(view: View, header: Header) -> str:
    """Return the package URL; the epoch is a qualifier there."""
    release = view.release
    distro = "-".join(part for part in (release.id, release.version_id) if part) if release else ""
    epoch = "" if header.epoch is None else str(header.epoch)
    qualifiers = (("arch", header.arch or ""), ("distro", distro), ("epoch", epoch))
    return purl("rpm", release.id if release else None, header.name, header.evr, qualifiers)


def _add_files(providers: dict[str, str], headers: Iterable[Header]) -> None:
    """Add the files that something requires by path."""
    wanted = {name[1:].encode(): name for header in headers for name in header.requires if name.startswith("/")}
    for header in headers:
        for path in wanted.keys() & set(header.paths) if wanted else ():
            providers.setdefault(wanted[path], header.name)


def _resolve(own: str, wanted: Iterable[str], providers: Mapping[str, str]) -> tuple[str, ...]:
    """Return the packages that a package wants; of a rich dependency (`(a if b)`) those that are there."""
    needed: dict[str, None] = {}
    for name in wanted:
        if name.startswith("("):
            needed.update((providers[one], None) for one in names_of(name, providers))
        elif name in providers:
            needed[providers[name]] = None
        elif not name.startswith(("rpmlib(", "config(")):
            needed[name] = None
    needed.pop(own, None)
    return tuple(needed)


def _reasons(view: View) -> dict[str, Reason]:
    """Return `name.arch` or name -> why, by the front end that tells; the newest first."""
    for path, parse in ((DNF5, _dnf5), *((path, _dnf4) for path in DNF4)):
        found = view.parsed(path, parse)
        if found:
            return found
    yum = _yumdb(view)
    if yum:
        return yum
    if ZYPP in view.files:
        lines = view.files[ZYPP].split(b"\n")[:MAX_RECORDS]
        names = {text(line) for line in lines if not line.startswith(b"#")}
        return {name: ("dependency", f"/{ZYPP.decode()} lists it") for name in names} | {
            "": ("asked", f"/{ZYPP.decode()} does not list it")
        }
    return {}


def _reason(header: Header, reasons: Mapping[str, Reason]) -> tuple[str | None, str | None]:
    if header.name == "gpg-pubkey":
        return None, None
    found = reasons.get(f"{header.name}.{header.arch}") or reasons.get(header.name) or reasons.get("")
    return found or (None, None)


def _dnf5(content: bytes, _problems: list[str]) -> dict[str, Reason]:
    """Parse `[packages]`, `"name.arch" = {reason = "User"}`."""
    import tomllib

    document = tomllib.loads(content.decode("utf-8", "replace"))
    packages = document.get("packages")
    found = {}
    for name, entry in packages.items() if isinstance(packages, dict) else ():
        told = text(entry.get("reason")) if isinstance(entry, dict) else ""
        reason = _REASONS.get(told.lower())
        if reason:
            found[text(name)] = (reason, f"dnf: {told}")
    return found


def _dnf4(content: bytes, _problems: list[str]) -> dict[str, Reason]:
    """Read dnf's history: of what it did to a package, the last counts."""
    found: dict[str, Reason] = {}
    for name, arch, number, command in sqlite.query(content, _DNF4_QUERY):
        told = _DNF4_REASONS.get(number) if isinstance(number, int) else None
        if told is not None:
            line = text(command)
            found[f"{text(name)}.{text(arch)}"] = (_REASONS[told], f"dnf {line}" if line else f"dnf: {told}")
    return found


def _yumdb(view: View) -> dict[str, Reason]:
    """Read `yumdb/LETTER/HASH-name-version-release-arch/reason`."""
    found = {}
    for path, content in view.files.items():
        if path.startswith(YUMDB) and path.endswith(b"/reason"):
            _, _, told = path.split(b"/")[-2].partition(b"-")
            name, arch = told.rsplit(b"-", 3)[0], told.rpartition(b"-")[2]
            reason = _REASONS.get(text(content[:100]))
            if reason:
                found[f"{text(name)}.{text(arch)}"] = (reason, f"yum: {text(content[:100])}")
    return found


RPM = Database(
    "rpm",
    (
        *((folder + name).decode() for folder in FOLDERS for name in (*NAMES, NAMES[0] + _WAL)),
        MANIFEST.decode(),
        DNF5.decode(),
        *(path.decode() for path in DNF4),
        YUMDB.decode() + "*/*/reason",
        ZYPP.decode(),
    ),
    read,
    seals=seals,
)
