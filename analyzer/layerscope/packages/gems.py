"""Which Ruby gems are installed, and whose files are they?

`specifications/NAME-VERSION.gemspec` is generated Ruby; the files lie in `gems/NAME-VERSION` beside it. Those of default
gems lie in Ruby's own library, and their specification lists them.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from layerscope.frozen import frozen
from layerscope.model import Package
from layerscope.packages.database import MAX_RECORDS, Database, View, bloated
from layerscope.packages.paths import join, parent
from layerscope.packages.purl import purl
from layerscope.packages.text import text
from layerscope.regex import regex

if TYPE_CHECKING:
    from collections.abc import Iterator

MAX_SPECIFICATION = 1 << 20

_STRING = r"""["']([^"'\n]{1,200})["'](?:\.freeze)?"""
# Each blank is looked at once: what may be blank never gives back, and never begins in the line before.
_OF = r"^[ \t]*+\w++\."
_IS = r"[ \t]*+=[ \t]*+"
_FIELD = regex(rf"{_OF}(name|version|platform){_IS}(?:Gem::Version\.new[ \t]*+\(?+[ \t]*+)?{_STRING}", re.MULTILINE)
_LICENSES = regex(rf"{_OF}licenses?{_IS}\[?([^\]\n]{{1,300}})", re.MULTILINE)
_FILES = regex(rf"{_OF}files{_IS}\[", re.MULTILINE)
_NEEDS = regex(rf"{_OF}add_(?:runtime_)?dependency[ \t]*+\(?+[ \t]*+(?:%q<([^>\n]{{1,200}})>|{_STRING})", re.MULTILINE)
_QUOTED = regex(_STRING)
_DEFAULT = b"/specifications/default/"
_BUILT = b"/gem.build_complete"


@frozen
class _Specification:
    name: str
    version: str
    platform: str
    license: str | None
    files: tuple[bytes, ...]
    needs: tuple[str, ...]


def read(view: View) -> Iterator[Package]:
    """Yield the installed gems."""
    built: dict[tuple[bytes, bytes], list[bytes]] = {}
    for path in view.files:
        if path.endswith(_BUILT):
            # home/extensions/PLATFORM/ABI/NAME-VERSION/gem.build_complete
            folder = parent(path)
            home, _, _ = folder.rpartition(b"/extensions/")
            built.setdefault((home, folder.rpartition(b"/")[2]), []).append(folder)
    count = 0
    for path in sorted(path for path in view.files if path.endswith(b".gemspec")):
        told = view.parsed(path, _specification)
        if told is None:
            continue
        count += 1
        if count > MAX_RECORDS:
            view.note(path, f"only the first {MAX_RECORDS} gems were read")
            return
        stem = path.rpartition(b"/")[2].removesuffix(b".gemspec")
        home = path.rpartition(b"/specifications/")[0]
        listed: tuple[bytes, ...] = ()
        if _DEFAULT in path and not bloated(home, len(told.files), view.files[path]):
            library = _library(home)
            listed = tuple(join(library, file.removeprefix(b"lib/")) for file in told.files if file.startswith(b"lib/"))
        trees = [join(home, b"gems/" + stem), join(home, b"doc/" + stem), *built.get((home, stem), ())]
        yield Package(
            type="gem",
            name=told.name,
            version=told.version,
            arch=told.platform if told.platform not in {"", "ruby"} else None,
            purl=purl("gem", None, told.name, told.version, (("platform", told.platform if told.platform != "ruby" else ""),)),
            origin=path,
            location=home,
            paths=(path, join(home, b"cache/" + stem + b".gem"), join(home, b"build_info/" + stem + b".info"), *listed),
            trees=tuple(trees),
            requires=told.needs,
            license=told.license,
        )


def _library(home: bytes) -> bytes:
    """Return Ruby's own library: `lib/ruby/3.3.0` for the gems in `lib/ruby/gems/3.3.0`."""
    above, _, abi = home.rpartition(b"/")
    return parent(above) + b"/" + abi


def _specification(content: bytes, problems: list[str]) -> _Specification | None:
    ruby = content[:MAX_SPECIFICATION].decode("utf-8", "replace")
    fields: dict[str, str] = {}
    for key, value in _FIELD.findall(ruby):
        fields.setdefault(key, text(value))
    if not fields.get("name") or not fields.get("version"):
        problems.append("a specification without a name or a version was left out")
        return None
    licenses, files = _LICENSES.search(ruby), _FILES.search(ruby)
    return _Specification(
        name=fields["name"],
        version=fields["version"],
        platform=fields.get("platform", ""),
        license=", ".join(_QUOTED.findall(licenses[1]))[:200] or None if licenses else None,
        files=tuple(
            file.encode("utf-8", "replace") for file in _QUOTED.findall(ruby[files.end() : ruby.find("]", files.end())])
        )
        if files
        else (),
        needs=tuple(dict.fromkeys(text(one or other) for one, other in _NEEDS.findall(ruby))),
    )


GEMS = Database(
    "gems",
    ("**/specifications/*.gemspec", "**/specifications/default/*.gemspec", "**/extensions/*/*/*/gem.build_complete"),
    read,
)
