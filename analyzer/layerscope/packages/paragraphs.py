"""What does one paragraph of a dpkg or opkg status file tell?"""

from __future__ import annotations

import re
from dataclasses import field
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from layerscope.frozen import frozen
from layerscope.packages.debversion import meets
from layerscope.packages.text import text
from layerscope.regex import regex

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

_FIELD = regex(
    rb"\n(Package|Status|Version|Architecture|Source|License|Pre-Depends|Depends|Recommends|Provides|Essential|Priority"
    rb"|Auto-Installed|Conffiles)[ \t]*:[ \t]*(.*(?:\n[ \t].*)*)",
    re.IGNORECASE,
)
_DEPENDENCY = regex(rb"([^\s:(\[<]+)(?::[^\s(\[<]+)?\s*(?:\(\s*([<>=]{1,2})\s*([^\s)]+)\s*\))?")
# A line that no path inside of it follows; lines that are no path do not count.
_LISTED = regex(rb"^/(?!\.$)(.*+)(?!(?:\n(?!/).*+)*+\n/\1/)", re.MULTILINE)
_MD5 = 32
_HEX = frozenset(b"0123456789abcdef")


class Wanted(NamedTuple):
    """A name, and which versions of it will do; `relation` is "" where any does."""

    name: str
    relation: str = ""
    version: str = ""


Choice = tuple[Wanted, ...]
"""What will do, in the order of preference."""

Offers = dict[str, list[tuple[str, str]]]
"""Name -> packages that answer to it, each with the version that it has under that name, "" for none."""


@frozen
class Record:
    """One paragraph.

    states     the words of `Status`, None if there is no such field
    required   whether no package manager takes it away by itself: essential, or of that priority
    base       whether it is that, or important
    automatic  whether `Auto-Installed` says so
    settings   the files of settings, each with the MD5 that it was shipped with
    """

    name: str
    version: str
    arch: str | None
    source: str | None
    license: str | None
    states: tuple[str, ...] | None
    required: bool
    base: bool
    automatic: bool
    provides: tuple[Wanted, ...]
    depends: tuple[Choice, ...]
    recommends: tuple[Choice, ...]
    settings: Mapping[bytes, bytes] = field(default_factory=dict, hash=False)

    @property
    def state(self) -> str | None:
        """What dpkg calls the package's state, None where there is no such field."""
        return None if self.states is None else self.states[-1] if self.states else "not-installed"


def read_fields(chunk: bytes) -> dict[bytes, bytes]:
    """Return the fields of one paragraph that matter, by their names in lower case."""
    return {name.lower(): value for name, value in _FIELD.findall(b"\n" + chunk)}


def read_record(chunk: bytes) -> Record | None:
    """Parse one paragraph, None if it names no package."""
    fields = read_fields(chunk)
    name = text(fields.get(b"package"))
    if not name:
        return None
    priority = text(fields.get(b"priority"))
    required = priority == "required" or text(fields.get(b"essential")) == "yes"
    return Record(
        name=name,
        version=text(fields.get(b"version")),
        arch=text(fields.get(b"architecture")) or None,
        source=text(fields.get(b"source", b"").partition(b"(")[0]) or None,
        license=text(fields.get(b"license")) or None,
        states=tuple(text(fields[b"status"]).split()) if b"status" in fields else None,
        required=required,
        base=required or priority == "important",
        automatic=is_automatic(fields),
        provides=tuple(choice[0] for choice in _choices(fields.get(b"provides", b""))),
        depends=_choices(fields.get(b"pre-depends", b"")) + _choices(fields.get(b"depends", b"")),
        recommends=_choices(fields.get(b"recommends", b"")),
        settings=_settings(fields.get(b"conffiles", b"")),
    )


def is_automatic(fields: Mapping[bytes, bytes]) -> bool:
    """Tell whether `Auto-Installed` says so."""
    return text(fields.get(b"auto-installed")) in {"1", "yes"}


def _settings(value: bytes) -> dict[bytes, bytes]:
    """Parse lines of ` /path md5[ obsolete]`; what is no line like that is left out."""
    found: dict[bytes, bytes] = {}
    for line in value.split(b"\n"):
        path, _, digest = line.strip().removesuffix(b" obsolete").rpartition(b" ")
        if path.startswith(b"/") and len(digest) == _MD5 and set(digest) <= _HEX:
            found[path.lstrip(b"/")] = bytes.fromhex(digest.decode())
    return found


def _choices(value: bytes) -> tuple[Choice, ...]:
    """Parse `a (>= 1) | b:any, c`."""
    return tuple(filter(None, map(_choice, value.split(b",")))) if value else ()


@lru_cache(maxsize=4096)
def _choice(group: bytes) -> Choice:
    """Parse `a (>= 1) | b:any`; many packages write the same."""
    found = []
    for option in group.split(b"|"):
        match = _DEPENDENCY.match(option.strip())
        if match:
            name, relation, version = match.groups()
            found.append(Wanted(text(name), text(relation), text(version)) if relation else Wanted(text(name)))
    return tuple(found)


def offers(records: Iterable[Record]) -> Offers:
    """Map each name that something installed answers to, to the packages; those of that very name first."""
    found: Offers = {}
    records = list(records)
    for record in records:
        found.setdefault(record.name, []).append((record.name, record.version))
    for record in records:
        for name in record.provides:
            found.setdefault(name.name, []).append((record.name, name.version))
    return found


def chosen(choices: Iterable[Choice], known: Offers, own: str = "") -> Iterator[str]:
    """Yield for each choice the first installed package that meets it; if none does one of its names, else the first.

    What is installed met its conditions when it was; versions only tell which of several it was for.
    """
    for choice in choices:
        name = choice[0].name
        if len(choice) > 1:
            there = (known[wanted.name][0][0] for wanted in choice if wanted.name in known)
            name = next(filter(None, (_meeting(wanted, known) for wanted in choice)), None) or next(there, name)
        elif name in known:
            name = known[name][0][0]
        if name != own:
            yield name


def _meeting(wanted: Wanted, known: Offers) -> str | None:
    """Return what answers to a name, in a version that will do; what has no version meets no condition on one."""
    for package, version in known.get(wanted.name, ()):
        if not wanted.relation or (version and meets(version, wanted.relation, wanted.version)):
            return package
    return None


def read_list(content: bytes, _problems: list[str]) -> tuple[bytes, ...]:
    """Parse `info/NAME.list`: absolute paths. A folder that stands before its content is nobody's, and left out."""
    return tuple(_LISTED.findall(content))
