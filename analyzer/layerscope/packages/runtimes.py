"""Which runtimes are there that no database knows: node and Python built from source, a JRE that was unpacked?

Their own files tell: a header with the version, which `make install` puts there, or a `release` file. What lies below
`usr` itself is a distribution's, and left to it.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from layerscope.model import Package
from layerscope.packages.database import Database, View
from layerscope.packages.paths import SHARED, join, parent
from layerscope.packages.purl import purl
from layerscope.packages.text import text
from layerscope.regex import regex

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

MAX_RUNTIMES = 1000

_NODE = b"include/node/node_version.h"
_PYTHON = regex(rb"(?:(.*)/)?include/(python(\d\.\d+)t?)/patchlevel\.h\Z", re.DOTALL)
_NODE_PART = regex(rb"^#define NODE_(MAJOR|MINOR|PATCH)_VERSION (\d{1,6})", re.MULTILINE)
_PYTHON_VERSION = regex(rb'^#define PY_VERSION[ \t]+"([^"\n]{1,40})"', re.MULTILINE)
_JAVA = regex(rb'^(JAVA_VERSION|JAVA_RUNTIME_VERSION|IMPLEMENTOR)="([^"\n]{1,100})"', re.MULTILINE)


def read(view: View) -> Iterator[Package]:
    """Yield the runtimes; each claims what its installation puts there."""
    for count, path in enumerate(sorted(view.files)):
        if count == MAX_RUNTIMES:
            view.note(path, f"only the first {MAX_RUNTIMES} files were looked at")
            return
        if path.endswith(_NODE):
            yield from _node(view, path)
        elif path.endswith(b"/patchlevel.h"):
            yield from _python(view, path)
        else:
            yield from _java(view, path)


def _node(view: View, path: bytes) -> Iterator[Package]:
    parts = dict(_NODE_PART.findall(view.files[path]))
    prefix = path.removesuffix(_NODE).removesuffix(b"/")
    if len(parts) == 3 and prefix != b"usr":
        version = b".".join(parts[key] for key in (b"MAJOR", b"MINOR", b"PATCH")).decode()
        trees = ("include/node", "share/doc/node")
        yield _runtime("node", version, path, prefix, ("bin/node", "share/man/man1/node.1"), trees)


def _python(view: View, path: bytes) -> Iterator[Package]:
    match, version = _PYTHON.match(path), _PYTHON_VERSION.search(view.files[path])
    prefix = b"" if match is None else match[1] or b""
    if match is not None and version is not None and prefix != b"usr":
        short = text(match[3])
        bins = [f"bin/{name}{end}" for end in (short, short[0], "") for name in ("python", "pydoc", "idle", "2to3-")]
        bins += [f"bin/python{short}-config", "bin/python3-config", f"lib/libpython{short}.so.1.0", f"lib/libpython{short}.a",
                 "lib/libpython3.so", f"share/man/man1/python{short}.1", f"lib/pkgconfig/python-{short}.pc",
                 f"lib/pkgconfig/python-{short}-embed.pc"]  # fmt: skip
        folder = text(match[2])
        yield _runtime("python", text(version[1]), path, prefix, bins, (f"lib/{folder}", f"include/{folder}"))


def _java(view: View, path: bytes) -> Iterator[Package]:
    fields = dict(_JAVA.findall(view.files[path][:65536]))
    folder = parent(path)
    version = text(fields.get(b"JAVA_RUNTIME_VERSION") or fields.get(b"JAVA_VERSION"))
    if version and b"JAVA_VERSION" in fields and folder not in SHARED:
        yield Package(
            type="generic",
            name="openjdk",
            version=version,
            arch=None,
            purl=purl("generic", None, "openjdk", version),
            origin=path,
            location=folder,
            trees=(folder,),
            evidence=f"its release file, by {text(fields.get(b'IMPLEMENTOR')) or 'an unknown implementor'}",
        )


def _runtime(name: str, version: str, path: bytes, prefix: bytes, files: Sequence[str], trees: tuple[str, ...]) -> Package:
    return Package(
        type="generic",
        name=name,
        version=version,
        arch=None,
        purl=purl("generic", None, name, version),
        origin=path,
        location=prefix,
        paths=tuple(join(prefix, file.encode()) for file in files),
        trees=tuple(join(prefix, tree.encode()) for tree in trees),
        evidence=f"/{text(path)} tells its version",
    )


RUNTIMES = Database("runtimes", (f"**/{_NODE.decode()}", "**/include/python*/patchlevel.h", "**/release"), read)
