"""Which slices of Ubuntu packages did chisel cut, and whose files are they?

`manifest.wall` is JSON lines in zstd: packages, slices, and paths with the slices that brought them.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import zstandard

from layerscope.model import Package
from layerscope.packages.database import MAX_RECORDS, Database, View
from layerscope.packages.purl import distribution
from layerscope.packages.text import text

if TYPE_CHECKING:
    from collections.abc import Iterator

MANIFEST = b"var/lib/chisel/manifest.wall"
MAX_MANIFEST = 64 << 20
"""Bytes of a manifest, unpacked."""

_MAX_WINDOW = 128 << 20


def read(view: View) -> Iterator[Package]:
    """Yield the packages of which a slice is there; the evidence is which."""
    found = view.parsed(MANIFEST, _manifest) or {}
    for name, (version, arch, slices, paths) in found.items():
        yield Package(
            type="deb",
            name=name,
            version=version,
            arch=arch or None,
            purl=distribution("deb", view.release, name, version, arch or None),
            origin=MANIFEST,
            paths=paths,
            system=True,
            evidence=f"chisel: {', '.join(slices[:20])}" if slices else None,
        )


_Found = dict[str, tuple[str, str, tuple[str, ...], tuple[bytes, ...]]]


def _manifest(content: bytes, problems: list[str]) -> _Found:
    versions: dict[str, tuple[str, str]] = {}
    slices: dict[str, list[str]] = {}
    paths: dict[str, list[bytes]] = {}
    for line in _lines(content, problems):
        kind = line.get("kind")
        name = text(line.get("name"))
        if kind == "package" and name and text(line.get("version")) and len(versions) < MAX_RECORDS:
            versions[name] = (text(line.get("version")), text(line.get("arch")))
        elif kind == "slice" and name:
            slices.setdefault(name.partition("_")[0], []).append(name)
        elif kind == "path":
            path, owners = line.get("path"), line.get("slices")
            if isinstance(path, str) and isinstance(owners, list) and owners and not path.endswith("/"):
                place = path.encode("utf-8", "replace").lstrip(b"/")
                paths.setdefault(text(owners[0]).partition("_")[0], []).append(place)
    return {
        name: (version, arch, tuple(slices.get(name, ())), tuple(paths.get(name, ())))
        for name, (version, arch) in versions.items()
    }


def _lines(content: bytes, problems: list[str]) -> Iterator[dict[str, Any]]:
    try:
        with zstandard.ZstdDecompressor(max_window_size=_MAX_WINDOW).stream_reader(content) as stream:
            whole = stream.read(MAX_MANIFEST + 1)
    except zstandard.ZstdError as error:
        raise ValueError(str(error)) from error
    if len(whole) > MAX_MANIFEST:
        problems.append(f"larger than {MAX_MANIFEST} bytes")
        return
    for line in whole.splitlines():
        document = json.loads(line)
        if isinstance(document, dict):
            yield document


CHISEL = Database("chisel", (MANIFEST.decode(),), read)
