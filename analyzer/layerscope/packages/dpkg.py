"""Which Debian packages are installed, whose files are they, and who asked for them?

`var/lib/dpkg/status` holds a paragraph for each package and `info/` the lists of files. Distroless images have one file
a package in `status.d/` and only the checksums beside it.
"""

from __future__ import annotations

from contextlib import suppress
from itertools import chain
from typing import TYPE_CHECKING

from layerscope.model import Package
from layerscope.packages.apt import EXTENDED_STATES, HISTORY, automatic, commands
from layerscope.packages.database import MAX_RECORDS, Database, Seals, View
from layerscope.packages.paragraphs import Record, chosen, offers, read_list, read_record
from layerscope.packages.purl import distribution
from layerscope.packages.text import text

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

STATUS = b"var/lib/dpkg/status"
STATUS_D = b"var/lib/dpkg/status.d/"
INFO = b"var/lib/dpkg/info/"
DIVERSIONS = b"var/lib/dpkg/diversions"

_Names = tuple[str, ...]
_NOT_THERE = frozenset({"not-installed", "config-files"})


def read(view: View) -> Iterator[Package]:
    """Yield the installed packages."""
    found = dict[Record, tuple[bytes, bytes]]()
    for origin, stem, record in _records(view):
        found.setdefault(record, (origin, stem))
    records = list(found)
    known = offers(records)
    log = view.parsed(HISTORY, commands) or {}
    told = view.parsed(EXTENDED_STATES, automatic)
    needs = {
        record: (
            tuple(dict.fromkeys(chosen(record.depends, known, record.name))),
            tuple(dict.fromkeys(chosen(record.recommends, known, record.name))),
        )
        for record in records
    }
    reasons = _reasons(needs, told)
    if told is None:
        for name, (_, itself) in log.items():
            reasons.setdefault(name, "dependency" if itself else "asked")
    diverted = view.parsed(DIVERSIONS, _diversions) or {}
    for record, (origin, stem) in found.items():
        yield Package(
            type="deb",
            name=record.name,
            version=record.version,
            arch=record.arch,
            purl=distribution("deb", view.release, record.name, record.version, record.arch),
            origin=origin,
            paths=_divert(_files(view, record, stem), record.name, diverted),
            requires=needs[record][0],
            recommends=needs[record][1],
            reason=reasons.get(record.name),
            source=record.source,
            system=True,
            evidence=_evidence(record.name, reasons.get(record.name), log),
        )


def _records(view: View) -> Iterator[tuple[bytes, bytes, Record]]:
    """Yield (file that told, stem of the file lists that belong to it, record) of the packages that are installed."""
    left = MAX_RECORDS
    for path in (STATUS, *sorted(path for path in view.files if path.startswith(STATUS_D))):
        if path not in view.files or path.endswith(b".md5sums"):
            continue
        for chunk in view.files[path].split(b"\n\n", left + 1):
            if not chunk or chunk.isspace():
                continue
            left -= 1
            if left < 0:
                view.note(path, f"only the first {MAX_RECORDS} paragraphs were read")
                return
            record = view.once(read_record, chunk)
            if record is None:
                view.note(path, f"a paragraph that is no package was left out: {text(chunk[:40])!r}")
            elif (record.state or path == STATUS) and record.state in {None, *_NOT_THERE}:
                continue
            elif not record.version:
                view.note(path, f"package {record.name} has no version and was left out")
            else:
                yield path, b"" if path == STATUS else path, record


def _reasons(needs: Mapping[Record, tuple[_Names, _Names]], itself: frozenset[str] | None) -> dict[str, str]:
    """Return why each package is there: "base", "asked", "dependency", "recommended".

    `needs` are what each requires, and what it recommends.

    Without apt's `extended_states` only the base is known. What apt does not call automatic was asked for, or belongs
    to the base that debootstrap made. Where apt calls it automatic, only what apt would never take away stays the base: what is
    merely important came with a package. An automatic package that only a Recommends leads to is "recommended", and so is
    what only it needs.
    """
    automatic = itself or frozenset()
    reasons = {one.name: "base" for one in needs if one.required or (one.base and one.name not in automatic)}
    if itself is None:
        return reasons
    by_name = {record.name: both for record, both in needs.items()}
    for name in by_name:
        if name not in itself:
            reasons.setdefault(name, "asked")
    recommended = itself - reasons.keys()
    todo = list(reasons)
    while todo:
        for name in by_name[todo.pop()][0]:
            if name in by_name and name not in reasons:
                reasons[name] = "dependency"
                todo.append(name)
    todo = list(reasons)
    while todo:
        for name in chain(*by_name[todo.pop()]):
            if name in by_name and name not in reasons:
                reasons[name] = "recommended"
                todo.append(name)
    for name in recommended & by_name.keys():
        reasons.setdefault(name, "dependency")
    return reasons


def _evidence(name: str, reason: str | None, log: Mapping[str, tuple[str, bool]]) -> str | None:
    """Return what tells a reason: the command line that installed a package is the best."""
    if reason == "base":
        return "Essential, or Priority required or important"
    command = log[name][0] if name in log else None
    if reason == "asked":
        return command or f"/{EXTENDED_STATES.decode()} does not call it automatic"
    if reason is None:
        return None
    return f"automatic: {command}" if command else f"/{EXTENDED_STATES.decode()} calls it automatic"


def _files(view: View, record: Record, stem: bytes) -> tuple[bytes, ...]:
    """Return the files of a package: by its list, else by its checksums (no links or settings there)."""
    name = record.name.encode()
    names = (name, name + b":" + (record.arch or "").encode())
    for path in (INFO + name + b".list" for name in names):
        if path in view.files:
            return view.parsed(path, read_list) or ()
    for path in (stem + b".md5sums", *(INFO + name + b".md5sums" for name in names)):
        if path in view.files:
            return view.parsed(path, _checksums) or ()
    return ()


def _checksums(content: bytes, _problems: list[str]) -> tuple[bytes, ...]:
    """Parse `NAME.md5sums`: a checksum, two spaces, a relative path."""
    paths = (line.partition(b" ")[2].lstrip(b" *") for line in content.split(b"\n"))
    return tuple(path.removeprefix(b"./").lstrip(b"/") for path in paths if path)


def seals(view: View) -> Iterator[Seals]:
    """Yield the checksums of each package's files, and of its settings as they were shipped.

    A path that has left the list, since another package replaces it, is no longer checked; one that is diverted is looked for
    where it went.
    """
    diversions = view.files.get(DIVERSIONS, b"")
    for _, stem, record in _records(view):
        name = record.name.encode()
        names = (name, name + b":" + (record.arch or "").encode())
        sums = _first(view, (stem + b".md5sums", *(INFO + one + b".md5sums" for one in names)))
        listed = _first(view, tuple(INFO + one + b".list" for one in names))
        found = view.once(_seals, record, sums, listed, diversions)
        if found is not None:
            yield found


def _first(view: View, paths: Iterable[bytes]) -> bytes | None:
    """Return the content of the first of the files that is there."""
    return next((view.files[path] for path in paths if path in view.files), None)


def _seals(record: Record, sums: bytes | None, listed: bytes | None, diversions: bytes) -> Seals | None:
    """Return what is told of one package; files of which nothing lists them are taken as they are."""
    digests = _sums(sums or b"")
    if listed is not None:
        there = frozenset(read_list(listed, []))
        digests = {path: digest for path, digest in digests.items() if path in there}
    digests.update(record.settings)
    moved = _divert(tuple(digests), record.name, _diversions(diversions, []))
    whole = dict(zip(moved, digests.values(), strict=True))
    return Seals(f"deb:{record.name}", "md5", whole, frozenset(record.settings)) if whole else None


def _sums(content: bytes) -> dict[bytes, bytes]:
    """Parse `NAME.md5sums` to path -> MD5; what is no checksum is left out."""
    found: dict[bytes, bytes] = {}
    for line in content.split(b"\n"):
        digest, _, path = line.partition(b" ")
        if not path:
            continue
        with suppress(ValueError):
            found[path.lstrip(b" *").removeprefix(b"./").lstrip(b"/")] = bytes.fromhex(digest.decode("ascii"))
    return found


def _diversions(content: bytes, problems: list[str]) -> dict[bytes, tuple[bytes, str]]:
    """Return original path -> (where other packages' copies go, package that diverts; `:` for the administrator)."""
    lines = content.split(b"\n")
    if len(lines) % 3 != 1:
        problems.append("diversions: cut short")
    triples = zip(lines[0::3], lines[1::3], lines[2::3], strict=False)
    return {original.lstrip(b"/"): (to.lstrip(b"/"), text(package)) for original, to, package in triples}


def _divert(paths: tuple[bytes, ...], name: str, diverted: Mapping[bytes, tuple[bytes, str]]) -> tuple[bytes, ...]:
    """Return the paths at which a package's files really lie."""
    if not diverted or diverted.keys().isdisjoint(paths):
        return paths
    moves = {path: to for path, (to, package) in diverted.items() if package != name}
    return tuple(moves.get(path, path) for path in paths)


DPKG = Database(
    "dpkg",
    (
        STATUS.decode(),
        STATUS_D.decode() + "*",
        INFO.decode() + "*.list",
        INFO.decode() + "*.md5sums",
        DIVERSIONS.decode(),
        EXTENDED_STATES.decode(),
        HISTORY.decode(),
    ),
    read,
    seals=seals,
)
