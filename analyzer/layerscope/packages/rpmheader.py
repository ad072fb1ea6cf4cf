"""What does the header of one rpm package tell?

A header is two counts, an index of (tag, type, offset, count) and the data, all big endian. Entries behind the region
that an installation appended are read like the others; of a tag that comes twice the last counts.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from layerscope.frozen import frozen
from layerscope.packages.database import MAX_GROWTH, Seals
from layerscope.packages.text import text

if TYPE_CHECKING:
    from collections.abc import Iterator

NAME, VERSION, RELEASE, EPOCH, LICENSE, ARCH = 1000, 1001, 1002, 1003, 1014, 1022
OLDFILENAMES, FILESTATES, FILEFLAGS, SOURCERPM = 1027, 1029, 1037, 1044
PROVIDENAME, REQUIREFLAGS, REQUIRENAME = 1047, 1048, 1049
DIRINDEXES, BASENAMES, DIRNAMES, RECOMMENDNAME = 1116, 1117, 1118, 5046
FILEMODES, FILEDIGESTS, FILEVERIFYFLAGS, FILEDIGESTALGO = 1030, 1035, 1045, 5011
_SEALING = frozenset(
    {NAME, FILESTATES, FILEMODES, FILEDIGESTS, FILEFLAGS, FILEVERIFYFLAGS, DIRINDEXES, BASENAMES, DIRNAMES, FILEDIGESTALGO}
)
_WANTED = frozenset(
    {NAME, VERSION, RELEASE, EPOCH, LICENSE, ARCH, OLDFILENAMES, FILESTATES, FILEFLAGS, SOURCERPM, PROVIDENAME,
     REQUIREFLAGS, REQUIRENAME, DIRINDEXES, BASENAMES, DIRNAMES, RECOMMENDNAME}
)  # fmt: skip
_NUMBERS = {1: "b", 2: "b", 3: "H", 4: "I", 5: "Q"}
_STRING, _BINARY, _STRINGS, _I18N = 6, 7, 8, 9
_GHOST, _SETTINGS = 64, 1
_VERIFIED = 1
_REGULAR = 0o10
_ALGORITHMS = {1: ("md5", 16), 2: ("sha1", 20), 8: ("sha256", 32)}
_RPMLIB = 1 << 24

Value = list[bytes] | tuple[int, ...]


@frozen
class Header:
    """One installed package. `paths` has the files that are there: no ghosts, none that was left out or replaced."""

    name: str
    version: str
    release: str
    epoch: int | None
    arch: str | None
    license: str | None
    source: str | None
    paths: tuple[bytes, ...]
    provides: tuple[str, ...]
    requires: tuple[str, ...]
    recommends: tuple[str, ...]

    @property
    def evr(self) -> str:
        """Version and release; the epoch is told apart."""
        return f"{self.version}-{self.release}" if self.release else self.version


def read_header(blob: bytes) -> Header | None:
    """Parse a header, None if it tells no name and version; whatever else is damaged is left out."""
    values = _values(blob, _WANTED)
    name, version = _string(values, NAME), _string(values, VERSION)
    if not name or not version:
        return None
    epoch = values.get(EPOCH) or ()
    flags = _integers(values, REQUIREFLAGS)
    requires = _strings(values, REQUIRENAME)
    kept = [one for at, one in enumerate(requires) if at >= len(flags) or not flags[at] & _RPMLIB]
    return Header(
        name=name,
        version=version,
        release=_string(values, RELEASE),
        epoch=epoch[0] if epoch and isinstance(epoch[0], int) else None,
        arch=_string(values, ARCH) or None,
        license=_string(values, LICENSE) or None,
        source=_string(values, SOURCERPM) or None,
        paths=_paths(values, MAX_GROWTH * len(blob)),
        provides=_texts(_strings(values, PROVIDENAME)),
        requires=_texts(kept),
        recommends=_texts(_strings(values, RECOMMENDNAME)),
    )


def read_seals(blob: bytes) -> Seals | None:
    """Parse the digests of a package's regular files, as far as `rpm --verify` compares them; None if it has none."""
    values = _values(blob, _SEALING)
    algorithm, size = _ALGORITHMS.get((_integers(values, FILEDIGESTALGO) or [1])[0], ("", 0))
    written, modes = _strings(values, FILEDIGESTS), _integers(values, FILEMODES)
    flags, verified = _integers(values, FILEFLAGS), _integers(values, FILEVERIFYFLAGS)
    digests: dict[bytes, bytes] = {}
    settings = set()
    for at, path in _there(values, MAX_GROWTH * len(blob)):
        if at >= min(len(written), len(modes)) or len(written[at]) != 2 * size or modes[at] >> 12 != _REGULAR:
            continue
        if at < len(verified) and not verified[at] & _VERIFIED:
            continue
        try:
            digests[path] = bytes.fromhex(written[at].decode("ascii"))
        except ValueError:
            continue
        if at < len(flags) and flags[at] & _SETTINGS:
            settings.add(path)
    name = _string(values, NAME)
    return Seals(f"rpm:{name}", algorithm, digests, frozenset(settings)) if digests and name else None


def _values(blob: bytes, wanted: frozenset[int]) -> dict[int, Value]:
    """Return tag -> value of the tags that are wanted, as far as they lie inside the blob."""
    values: dict[int, Value] = {}
    if len(blob) < 8:
        return values
    entries, length = struct.unpack_from(">II", blob)
    start = 8 + 16 * entries
    if start > len(blob):
        return values
    data = blob[start : start + length]
    for tag, kind, offset, count in struct.iter_unpack(">iIII", blob[8:start]):
        if tag not in wanted or offset > len(data):
            continue
        code = _NUMBERS.get(kind)
        if code is not None:
            if count * struct.calcsize(code) <= len(data) - offset:
                values[tag] = struct.unpack_from(f">{count}{code}", data, offset)
        elif kind == _STRING:
            values[tag] = data[offset : _end(data, offset)].split(b"\0", 1)[:1]
        elif kind in {_STRINGS, _I18N} and count <= len(data) - offset:
            values[tag] = data[offset:].split(b"\0", count)[:count]
    return values


def _end(data: bytes, offset: int) -> int:
    at = data.find(b"\0", offset)
    return len(data) if at < 0 else at


def _strings(values: dict[int, Value], tag: int) -> list[bytes]:
    return [value for value in values.get(tag, ()) if isinstance(value, bytes)]


def _integers(values: dict[int, Value], tag: int) -> list[int]:
    return [value for value in values.get(tag, ()) if isinstance(value, int)]


def _string(values: dict[int, Value], tag: int) -> str:
    return text((_strings(values, tag) or [b""])[0])


def _texts(names: list[bytes]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(map(text, names)))


def _paths(values: dict[int, Value], room: int) -> tuple[bytes, ...]:
    """Return the files that are there, folders among them: a folder has no bytes of its own."""
    return tuple([path for _, path in _there(values, room)])


def _there(values: dict[int, Value], room: int) -> Iterator[tuple[int, bytes]]:
    """Yield the files that are there, each with its number among all that the header lists."""
    names, folders = _strings(values, BASENAMES), _strings(values, DIRNAMES)
    states, flags = _integers(values, FILESTATES), _integers(values, FILEFLAGS)
    listed = _strings(values, OLDFILENAMES)
    if names:
        listed = []
        for name, index in zip(names, _integers(values, DIRINDEXES), strict=False):
            folder = folders[index] if index < len(folders) else b""
            room -= len(folder)
            if room < 0:
                break
            listed.append(folder + name)
    for at, path in enumerate(listed):
        if (at < len(states) and states[at]) or (at < len(flags) and flags[at] & _GHOST):
            continue
        yield at, path.lstrip(b"/")
