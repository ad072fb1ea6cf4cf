"""Which npm packages lie packed in yarn's cache (Plug'n'Play)?

A package is a zip file there, and its name tells which: `NAME-npm-VERSION-HASH.zip`.
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

_NAME = regex(r"(?:(@[^-]+)-)?(.+)-npm-(\d[^/]*?)-[0-9a-f]{10}(?:-[0-9a-f]+)?\.zip\Z")


def read(view: View) -> Iterator[Package]:
    """Yield the packages in every cache."""
    for count, path in enumerate(sorted(path for path in view.files if path.endswith(b".zip"))):
        if count == MAX_RECORDS:
            view.note(path, f"only the first {MAX_RECORDS} packages were read")
            return
        match = _NAME.match(text(path.rpartition(b"/")[2]))
        if match is not None:
            scope, name, version = match.groups()
            yield Package(
                type="npm",
                name=f"{scope}/{name}" if scope else name,
                version=version,
                arch=None,
                purl=purl("npm", scope, name, version),
                origin=path,
                location=path,
                paths=(path,),
            )


YARN = Database("yarn", (), read, places=("**/.yarn/cache/*.zip",))
