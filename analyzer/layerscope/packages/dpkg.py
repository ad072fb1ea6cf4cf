"""Which Debian packages are installed, whose files are they, and who asked for them?

`var/lib/dpkg/status` holds a paragraph for each package and `info/` the lists of files. Distroless images have one file
a package in `status.d/` and only the checksums beside it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from layerscope.model import Package
from layerscope.packages.database import MAX_RECORDS, Database, View
from layerscope.packages.purl import distribution
from layerscope.packages.text import text

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

STATUS = b"var/lib/dpkg/status"
STATUS_D = b"var/lib/dpkg/status.d/"
INFO = b"var/lib/dpkg/info/"
DIVERSIONS = b"var/lib/dpkg/diversions"
EXTENDED_STATES = b"var/lib/apt/extended_states"

_FIELD = re.compile(
    rb"^(Package|Status|Version|Architecture|Source|Pre-Depends|Depends|Recommends|Provides|Essential|Priority|Auto-Installed)"
    rb"[ \t]*:[ \t]*(.*(?:\n[ \t].*)*)",
    re.MULTILINE | re.IGNORECASE,
)
_NOT_THERE = frozenset({"not-installed", "config-files"})
_BASE = frozenset({"required", "important"})


@dataclass(frozen=True, slots=True)
class _Record:
    """One paragraph. Each of `depends` and `recommends` is a choice: names, any of which will do."""

    name: str
    version: str
    arch: str | None
    source: str | None
    state: str | None
    base: bool
    provides: tuple[str, ...]
    depends: tuple[tuple[str, ...], ...]
    recommends: tuple[tuple[str, ...], ...]


def read(view: View) -> Iterator[Package]:
    """Yield the installed packages."""
    found = dict[_Record, tuple[bytes, bytes]]()
    for origin, stem, record in _records(view):
        found.setdefault(record, (origin, stem))
    records = list(found)
    providers = _providers(records)
    reasons = _reasons(records, providers, view.parsed(EXTENDED_STATES, _automatic))
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
            requires=tuple(dict.fromkeys(_chosen(record.depends, providers, record.name))),
            reason=reasons.get(record.name),
            source=record.source,
            system=True,
        )


def _records(view: View) -> Iterator[tuple[bytes, bytes, _Record]]:
    """Yield (file that told, stem of the file lists that belong to it, record) of the packages that are installed."""
    count = 0
    for path in (STATUS, *sorted(path for path in view.files if path.startswith(STATUS_D))):
        if path not in view.files or path.endswith(b".md5sums"):
            continue
        for chunk in view.files[path].split(b"\n\n"):
            if not chunk or chunk.isspace():
                continue
            record = view.once(_record, chunk)
            if record is None:
                view.note(path, f"a paragraph that is no package was left out: {text(chunk[:40])!r}")
            elif (record.state or path == STATUS) and record.state in {None, *_NOT_THERE}:
                continue
            elif not record.version:
                view.note(path, f"package {record.name} has no version and was left out")
            elif count == MAX_RECORDS:
                view.note(path, f"only the first {MAX_RECORDS} packages were read")
                return
            else:
                count += 1
                yield path, b"" if path == STATUS else path, record


def _record(chunk: bytes) -> _Record | None:
    """Parse one paragraph, None if it names no package."""
    fields = {name.lower(): value for name, value in _FIELD.findall(chunk)}
    name = text(fields.get(b"package"))
    if not name:
        return None
    status = text(fields[b"status"]).split() if b"status" in fields else None
    return _Record(
        name=name,
        version=text(fields.get(b"version")),
        arch=text(fields.get(b"architecture")) or None,
        source=text(fields.get(b"source", b"").partition(b"(")[0]) or None,
        state=None if status is None else status[-1] if status else "not-installed",
        base=text(fields.get(b"essential")) == "yes" or text(fields.get(b"priority")) in _BASE,
        provides=tuple(choice[0] for choice in _choices(fields.get(b"provides", b""))),
        depends=_choices(fields.get(b"pre-depends", b"")) + _choices(fields.get(b"depends", b"")),
        recommends=_choices(fields.get(b"recommends", b"")),
    )


_DEPENDENCY = re.compile(rb"[^\s:(\[<]+")


def _choices(value: bytes) -> tuple[tuple[str, ...], ...]:
    """Parse `a (>= 1) | b:any, c` to (("a", "b"), ("c",))."""
    groups = []
    for group in value.split(b","):
        names = [match[0] for option in group.split(b"|") if (match := _DEPENDENCY.match(option.strip()))]
        if names:
            groups.append(tuple(map(text, names)))
    return tuple(groups)


def _providers(records: Iterable[_Record]) -> dict[str, str]:
    """Map each name that something installed answers to, to the package."""
    providers = {name: record.name for record in records for name in record.provides}
    providers.update((record.name, record.name) for record in records)
    return providers


def _chosen(choices: Iterable[tuple[str, ...]], providers: Mapping[str, str], own: str = "") -> Iterator[str]:
    """Yield for each choice the first installed package that meets it, else its first name."""
    for choice in choices:
        name = next((providers[name] for name in choice if name in providers), choice[0])
        if name != own:
            yield name


def _reasons(records: Iterable[_Record], providers: Mapping[str, str], automatic: frozenset[str] | None) -> dict[str, str]:
    """Return why each package is there: "base", "asked", "dependency", "recommended".

    Without apt's `extended_states` only the base is known. What apt does not call automatic was asked for, or belongs
    to the base that debootstrap made. An automatic package that only a Recommends leads to is "recommended", and so is
    what only it needs.
    """
    reasons = {record.name: "base" for record in records if record.base}
    if automatic is None:
        return reasons
    by_name = {record.name: record for record in records}
    for name in by_name:
        if name not in automatic:
            reasons.setdefault(name, "asked")
    recommended = automatic - reasons.keys()
    todo = list(reasons)
    while todo:
        for name in _chosen(by_name[todo.pop()].depends, providers):
            if name in by_name and name not in reasons:
                reasons[name] = "dependency"
                todo.append(name)
    todo = list(reasons)
    while todo:
        record = by_name[todo.pop()]
        for name in _chosen(record.depends + record.recommends, providers):
            if name in by_name and name not in reasons:
                reasons[name] = "recommended"
                todo.append(name)
    for name in recommended & by_name.keys():
        reasons.setdefault(name, "dependency")
    return reasons


def _automatic(content: bytes, problems: list[str]) -> frozenset[str]:
    """Return the names of the packages that apt installed on its own account."""
    names = set()
    for chunk in content.split(b"\n\n")[:MAX_RECORDS]:
        fields = {name.lower(): value for name, value in _FIELD.findall(chunk)}
        if fields.get(b"auto-installed", b"").strip() == b"1":
            names.add(text(fields.get(b"package")))
        elif chunk.strip() and b"package" not in fields:
            problems.append("a paragraph that is no package was left out")
    return frozenset(names)


def _files(view: View, record: _Record, stem: bytes) -> tuple[bytes, ...]:
    """Return the files of a package: by its list, else by its checksums (no links or settings there)."""
    name = record.name.encode()
    names = (name, name + b":" + (record.arch or "").encode())
    for path in (INFO + name + b".list" for name in names):
        if path in view.files:
            return view.parsed(path, _list) or ()
    for path in (stem + b".md5sums", *(INFO + name + b".md5sums" for name in names)):
        if path in view.files:
            return view.parsed(path, _checksums) or ()
    return ()


def _list(content: bytes, _problems: list[str]) -> tuple[bytes, ...]:
    """Parse `info/NAME.list`: absolute paths. A folder that stands before its content is nobody's, and left out."""
    lines = content.split(b"\n")
    return tuple(
        line[1:]
        for line, after in zip(lines, [*lines[1:], b""], strict=True)
        if line[:1] == b"/" and line != b"/." and not (after.startswith(line) and after[len(line) :][:1] == b"/")
    )


def _checksums(content: bytes, _problems: list[str]) -> tuple[bytes, ...]:
    """Parse `NAME.md5sums`: a checksum, two spaces, a relative path."""
    paths = (line.partition(b" ")[2].lstrip(b" *") for line in content.split(b"\n"))
    return tuple(path.removeprefix(b"./").lstrip(b"/") for path in paths if path)


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
    ),
    read,
)
