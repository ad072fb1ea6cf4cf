"""Which pacman packages are installed, whose files are they, and who asked for them?

`local/NAME-VERSION/desc` has blocks: `%KEY%`, then lines until an empty one; `files` lists what belongs to it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from layerscope.model import Package
from layerscope.packages.database import MAX_RECORDS, Database, View
from layerscope.packages.purl import purl
from layerscope.packages.text import text
from layerscope.regex import regex

if TYPE_CHECKING:
    from collections.abc import Iterator

LOCAL = b"var/lib/pacman/local/"

_NAME_END = regex(rb"[=<>:]")
_Blocks = dict[bytes, list[bytes]]


def read(view: View) -> Iterator[Package]:
    """Yield the installed packages."""
    found: dict[bytes, _Blocks] = {}
    for path in sorted(path for path in view.files if path.startswith(LOCAL) and path.endswith(b"/desc")):
        blocks = view.parsed(path, _blocks) or {}
        if not _first(blocks, b"NAME") or not _first(blocks, b"VERSION"):
            view.note(path, "a package without a name or a version was left out")
        elif len(found) == MAX_RECORDS:
            view.note(path, f"only the first {MAX_RECORDS} packages were read")
            break
        else:
            found[path] = blocks
    providers = {name: _first(blocks, b"NAME") for blocks in found.values() for name in _names(blocks, b"PROVIDES")}
    providers.update((_first(blocks, b"NAME"), _first(blocks, b"NAME")) for blocks in found.values())
    for path, blocks in found.items():
        name, version, arch = (_first(blocks, key) for key in (b"NAME", b"VERSION", b"ARCH"))
        needed = dict.fromkeys(providers.get(other, other) for other in _names(blocks, b"DEPENDS"))
        needed.pop(name, None)
        files = view.parsed(path.removesuffix(b"desc") + b"files", _blocks) or {}
        release = view.release.id if view.release else "arch"
        asked = _first(blocks, b"REASON") != "1"
        yield Package(
            type="alpm",
            name=name,
            version=version,
            arch=arch or None,
            purl=purl("alpm", release, name, version, (("arch", arch),)),
            origin=path,
            paths=tuple(line for line in files.get(b"FILES", ()) if not line.endswith(b"/")),
            requires=tuple(needed),
            reason="asked" if asked else "dependency",
            license=", ".join(map(text, blocks.get(b"LICENSE", ())))[:200] or None,
            source=_first(blocks, b"BASE") or None,
            system=True,
            evidence="pacman: explicitly installed" if asked else "pacman: installed as a dependency",
        )


def _blocks(content: bytes, _problems: list[str]) -> _Blocks:
    """Parse blocks of lines by their key."""
    blocks: _Blocks = {}
    lines: list[bytes] = []
    for line in content.split(b"\n"):
        if line[:1] == b"%" and line[-1:] == b"%":
            lines = blocks.setdefault(line[1:-1], [])
        elif line:
            lines.append(line)
    return blocks


def _first(blocks: _Blocks, key: bytes) -> str:
    return text((blocks.get(key) or [b""])[0])


def _names(blocks: _Blocks, key: bytes) -> tuple[str, ...]:
    return tuple(text(_NAME_END.split(token, 1)[0]) for token in blocks.get(key, ()))


PACMAN = Database("pacman", (LOCAL.decode() + "*/desc", LOCAL.decode() + "*/files"), read)
