"""Which conda packages are installed, whose files are they, and who asked for them?

`conda-meta/NAME-VERSION-BUILD.json` lists the files below the environment, and what the user typed if it was asked for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from layerscope.model import Package
from layerscope.packages.database import MAX_RECORDS, Database, View, bloated
from layerscope.packages.paths import join, parent
from layerscope.packages.purl import purl
from layerscope.packages.text import load_json, text

if TYPE_CHECKING:
    from collections.abc import Iterator

_FOLDER = b"conda-meta/"


def read(view: View) -> Iterator[Package]:
    """Yield the installed packages of every environment."""
    found: dict[bytes, dict[str, Any]] = {}
    for path in sorted(path for path in view.files if path.endswith(b".json")):
        document = view.parsed(path, _document)
        if document:
            found[path] = document
        if len(found) == MAX_RECORDS:
            view.note(path, f"only the first {MAX_RECORDS} packages were read")
            break
    asking = {parent(path) for path, document in found.items() if document["asked"]}
    for path, document in found.items():
        prefix = parent(parent(path))
        files = document["files"]
        if bloated(prefix, len(files), view.files[path]):
            view.note(path, "its paths would be absurdly long")
            files = ()
        asked = document["asked"]
        yield Package(
            type="conda",
            name=document["name"],
            version=document["version"],
            arch=document["subdir"] or None,
            purl=purl("conda", None, document["name"], document["version"], document["qualifiers"]),
            origin=path,
            location=prefix,
            paths=(path, *(join(prefix, file) for file in files)),
            requires=document["depends"],
            reason="asked" if asked else "dependency" if parent(path) in asking else None,
            license=document["license"] or None,
            system=True,
            evidence=f"conda: {asked}" if asked else None,
        )


def _document(content: bytes, problems: list[str]) -> dict[str, Any]:
    """Parse a record; empty if it tells no name and version."""
    told = load_json(content)
    if not isinstance(told, dict):
        return {}
    name, version = text(told.get("name")), text(told.get("version"))
    if not name or not version:
        problems.append("a record without a name or a version was left out")
        return {}
    specs = told.get("requested_specs")
    asked = text(told.get("requested_spec")) or ", ".join(map(text, specs if isinstance(specs, list) else ()))
    files, depends = told.get("files"), told.get("depends")
    keys = ("build", "channel", "subdir")
    return {
        "name": name,
        "version": version,
        "license": text(told.get("license")),
        "subdir": text(told.get("subdir")),
        "asked": "" if asked == "None" else asked[:200],
        "qualifiers": tuple((key, text(told.get(key))) for key in keys),
        "files": tuple(
            file.encode("utf-8", "replace") for file in (files if isinstance(files, list) else ()) if isinstance(file, str)
        ),
        "depends": tuple(
            dict.fromkeys(
                word.split()[0] for one in (depends if isinstance(depends, list) else ()) if (word := text(one)).split()
            )
        ),
    }


CONDA = Database("conda", (f"**/{_FOLDER.decode()}*.json",), read)
