"""What does one paragraph of a dpkg or opkg status file tell?"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from layerscope.packages.text import text

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

_FIELD = re.compile(
    rb"^(Package|Status|Version|Architecture|Source|License|Pre-Depends|Depends|Recommends|Provides|Essential|Priority"
    rb"|Auto-Installed|Conffiles)[ \t]*:[ \t]*(.*(?:\n[ \t].*)*)",
    re.MULTILINE | re.IGNORECASE,
)
_DEPENDENCY = re.compile(rb"[^\s:(\[<]+")
_MD5 = 32
_HEX = frozenset(b"0123456789abcdef")


@dataclass(frozen=True, slots=True)
class Record:
    """One paragraph. Each of `depends` and `recommends` is a choice: names, any of which will do.

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
    provides: tuple[str, ...]
    depends: tuple[tuple[str, ...], ...]
    recommends: tuple[tuple[str, ...], ...]
    settings: Mapping[bytes, bytes] = field(default_factory=dict, hash=False)

    @property
    def state(self) -> str | None:
        """What dpkg calls the package's state, None where there is no such field."""
        return None if self.states is None else self.states[-1] if self.states else "not-installed"


def read_record(chunk: bytes) -> Record | None:
    """Parse one paragraph, None if it names no package."""
    fields = {name.lower(): value for name, value in _FIELD.findall(chunk)}
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
        automatic=text(fields.get(b"auto-installed")) in {"1", "yes"},
        provides=tuple(choice[0] for choice in _choices(fields.get(b"provides", b""))),
        depends=_choices(fields.get(b"pre-depends", b"")) + _choices(fields.get(b"depends", b"")),
        recommends=_choices(fields.get(b"recommends", b"")),
        settings=_settings(fields.get(b"conffiles", b"")),
    )


def _settings(value: bytes) -> dict[bytes, bytes]:
    """Parse lines of ` /path md5[ obsolete]`; what is no line like that is left out."""
    found: dict[bytes, bytes] = {}
    for line in value.split(b"\n"):
        path, _, digest = line.strip().removesuffix(b" obsolete").rpartition(b" ")
        if path.startswith(b"/") and len(digest) == _MD5 and set(digest) <= _HEX:
            found[path.lstrip(b"/")] = bytes.fromhex(digest.decode())
    return found


def _choices(value: bytes) -> tuple[tuple[str, ...], ...]:
    """Parse `a (>= 1) | b:any, c` to (("a", "b"), ("c",))."""
    groups = []
    for group in value.split(b","):
        names = [match[0] for option in group.split(b"|") if (match := _DEPENDENCY.match(option.strip()))]
        if names:
            groups.append(tuple(map(text, names)))
    return tuple(groups)


def providers(records: Iterable[Record]) -> dict[str, str]:
    """Map each name that something installed answers to, to the package."""
    records = list(records)
    found = {name: record.name for record in records for name in record.provides}
    found.update((record.name, record.name) for record in records)
    return found


def chosen(choices: Iterable[tuple[str, ...]], known: Mapping[str, str], own: str = "") -> Iterator[str]:
    """Yield for each choice the first installed package that meets it, else its first name."""
    for choice in choices:
        name = next((known[name] for name in choice if name in known), choice[0])
        if name != own:
            yield name


def read_list(content: bytes, _problems: list[str]) -> tuple[bytes, ...]:
    """Parse `info/NAME.list`: absolute paths. A folder that stands before its content is nobody's, and left out."""
    lines = content.split(b"\n")
    return tuple(
        line[1:]
        for line, after in zip(lines, [*lines[1:], b""], strict=True)
        if line[:1] == b"/" and line != b"/." and not (after.startswith(line) and after[len(line) :][:1] == b"/")
    )
