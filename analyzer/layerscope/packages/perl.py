"""Which Perl distributions were installed from CPAN?

`auto/A/B/.packlist` lists the files of A-B; its version stands in cpanm's `.meta/A-B-1.0/install.json` or in
`perllocal.pod`, else it stays unknown.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from layerscope.model import Package
from layerscope.packages.database import MAX_RECORDS, Database, View
from layerscope.packages.paths import parent
from layerscope.packages.purl import purl
from layerscope.packages.text import load_json, text
from layerscope.regex import regex

if TYPE_CHECKING:
    from collections.abc import Iterator

_PACKLIST = b"/.packlist"
_INSTALL = b"/install.json"
_ENTRY = regex(rb"L<([A-Za-z0-9_:]+)\|[^>]*>|C<VERSION: ([^>\n]{1,100})>")


def read(view: View) -> Iterator[Package]:
    """Yield the installed distributions."""
    versions = _versions(view)
    count = 0
    for path in sorted(path for path in view.files if path.endswith(_PACKLIST)):
        _, auto, below = parent(path).rpartition(b"/auto/")
        name = text(below).replace("/", "-")
        if not auto or not name:
            continue
        count += 1
        if count > MAX_RECORDS:
            view.note(path, f"only the first {MAX_RECORDS} distributions were read")
            return
        version = versions.get(name, "")
        yield Package(
            type="cpan",
            name=name,
            version=version,
            arch=None,
            purl=purl("cpan", None, name, version),
            origin=path,
            location=parent(path),
            paths=(path, *(view.parsed(path, _packlist) or ())),
        )


def _versions(view: View) -> dict[str, str]:
    found: dict[str, str] = {}
    for path in sorted(view.files):
        if path.endswith(b"/perllocal.pod"):
            found.update(view.parsed(path, _local) or {})
        elif path.endswith(_INSTALL):
            found.update(view.parsed(path, _installed) or {})
    return found


def _packlist(content: bytes, _problems: list[str]) -> tuple[bytes, ...]:
    """Parse `/path` or `/path type=file ...` a line."""
    lines = (line.partition(b" type=")[0].strip() for line in content.split(b"\n"))
    return tuple(line.lstrip(b"/") for line in lines if line.startswith(b"/"))


def _local(content: bytes, _problems: list[str]) -> dict[str, str]:
    """Parse `perllocal.pod`: a heading with the module, below it its version."""
    found: dict[str, str] = {}
    module = ""
    for name, version in _ENTRY.findall(content):
        if name:
            module = text(name).replace("::", "-")
        elif module:
            found[module] = text(version)
    return found


def _installed(content: bytes, _problems: list[str]) -> dict[str, str]:
    document = load_json(content)
    if not isinstance(document, dict):
        return {}
    name, version = text(document.get("name")).replace("::", "-"), text(document.get("version"))
    return {name: version.removeprefix("v")} if name and version else {}


PERL = Database("perl", ("**/.packlist", "**/perllocal.pod", "**/.meta/*/install.json"), read)
