"""Which opkg packages are installed (OpenWrt, Yocto), and whose files are they?

The format is dpkg's; the second word of `Status` is `user` for what was asked for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from layerscope.model import Package
from layerscope.packages.database import MAX_RECORDS, Database, View
from layerscope.packages.paragraphs import Record, chosen, offers, read_list, read_record
from layerscope.packages.purl import distribution
from layerscope.packages.text import text

if TYPE_CHECKING:
    from collections.abc import Iterator

FOLDERS = (b"usr/lib/opkg/", b"var/lib/opkg/")


def read(view: View) -> Iterator[Package]:
    """Yield the installed packages."""
    for folder in FOLDERS:
        path = folder + b"status"
        if path in view.files:
            yield from _installed(view, folder, path)
            return


def _installed(view: View, folder: bytes, path: bytes) -> Iterator[Package]:
    records: list[Record] = []
    for chunk in view.files[path].split(b"\n\n", MAX_RECORDS)[:MAX_RECORDS]:
        record = view.once(read_record, chunk) if chunk.strip() else None
        if record is not None and record.version and record.state == "installed":
            records.append(record)
        elif chunk.strip() and (record is None or not record.version):
            view.note(path, f"a paragraph that is no package was left out: {text(chunk[:40])!r}")
    known = offers(records)
    for record in dict.fromkeys(records):
        asked = "user" in (record.states or ()) and not record.automatic
        yield Package(
            type="opkg",
            name=record.name,
            version=record.version,
            arch=record.arch,
            purl=distribution("opkg", view.release, record.name, record.version, record.arch),
            origin=path,
            paths=view.parsed(folder + b"info/" + record.name.encode() + b".list", read_list) or (),
            requires=tuple(dict.fromkeys(chosen(record.depends, known, record.name))),
            reason="asked" if asked else "base" if record.base else "dependency",
            license=record.license,
            source=record.source,
            system=True,
            evidence=f"opkg: {' '.join(record.states or ())}",
        )


OPKG = Database("opkg", tuple(folder.decode() + name for folder in FOLDERS for name in ("status", "info/*.list")), read)
