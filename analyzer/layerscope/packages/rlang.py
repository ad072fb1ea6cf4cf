"""Which R packages are installed?

An installed package is a folder of a library with a DESCRIPTION that has a `Built` field.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from layerscope.model import Package
from layerscope.packages.database import MAX_RECORDS, Database, View
from layerscope.packages.paths import parent
from layerscope.packages.purl import purl
from layerscope.packages.text import text
from layerscope.regex import regex

if TYPE_CHECKING:
    from collections.abc import Iterator

_FIELD = regex(
    rb"^(Package|Version|License|Built|Depends|Imports|LinkingTo|Priority)[ \t]*:[ \t]*(.*(?:\n[ \t].*)*)", re.MULTILINE
)
_NAME = regex(r"[A-Za-z][A-Za-z0-9.]*")


def read(view: View) -> Iterator[Package]:
    """Yield the installed packages."""
    count = 0
    for path in sorted(path for path in view.files if path.endswith(b"/DESCRIPTION")):
        fields = view.parsed(path, _fields) or {}
        name, version = fields.get("Package"), fields.get("Version")
        if not name or not version or "Built" not in fields:
            continue
        count += 1
        if count > MAX_RECORDS:
            view.note(path, f"only the first {MAX_RECORDS} packages were read")
            return
        folder = parent(path)
        needs = ",".join(fields.get(key, "") for key in ("Depends", "Imports", "LinkingTo")).split(",")
        names = (match[0] for one in needs if (match := _NAME.match(one.strip())))
        base = fields.get("Priority") == "base"
        yield Package(
            type="cran",
            name=name,
            version=version,
            arch=None,
            purl=purl("cran", None, name, version),
            origin=path,
            location=folder,
            trees=(folder,),
            requires=tuple(other for other in dict.fromkeys(names) if other not in {"R", name}),
            reason="base" if base else None,
            license=fields.get("License") or None,
            evidence="Priority: base" if base else None,
        )


def _fields(content: bytes, _problems: list[str]) -> dict[str, str]:
    return {key.decode(): " ".join(text(value).split()) for key, value in _FIELD.findall(content)}


RLANG = Database("r", ("**/library/*/DESCRIPTION", "**/site-library/*/DESCRIPTION"), read)
