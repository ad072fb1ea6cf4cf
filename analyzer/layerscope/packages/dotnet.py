"""Which NuGet packages does a .NET application or runtime hold?

`NAME.deps.json` beside the assemblies lists libraries and, for each, the files that come from it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from layerscope.frozen import frozen
from layerscope.model import Package
from layerscope.packages.database import MAX_RECORDS, Database, View, bloated
from layerscope.packages.paths import join, parent
from layerscope.packages.purl import purl
from layerscope.packages.text import load_json, text

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_ASSETS = ("runtime", "native", "runtimeTargets", "resources")


@frozen
class _Library:
    """One library; `project` is the application itself or a part of it."""

    name: str
    version: str
    project: bool
    files: tuple[bytes, ...]
    requires: tuple[str, ...]


def read(view: View) -> Iterator[Package]:
    """Yield the packages of every application and runtime."""
    for path in sorted(path for path in view.files if path.endswith(b".deps.json")):
        folder = parent(path)
        libraries = view.parsed(path, _libraries) or ()
        if bloated(folder, sum(len(library.files) for library in libraries), view.files[path]):
            view.note(path, "its paths would be absurdly long")
            continue
        asked = {name for library in libraries if library.project for name in library.requires}
        for library in libraries:
            own = () if not library.project else (path,)
            yield Package(
                type="nuget",
                name=library.name,
                version=library.version,
                arch=None,
                purl=purl("nuget", None, library.name, library.version),
                origin=path,
                location=folder,
                paths=(*own, *(join(folder, file) for file in library.files)),
                requires=library.requires,
                reason="root" if library.project else None if not asked else "asked" if library.name in asked else "dependency",
                evidence=f"{text(path.rpartition(b'/')[2])} of the application lists it" if library.name in asked else None,
            )


def _libraries(content: bytes, problems: list[str]) -> tuple[_Library, ...]:
    document = load_json(content)
    if not isinstance(document, dict):
        return ()
    targets, libraries = document.get("targets"), document.get("libraries")
    runtime = document.get("runtimeTarget")
    name = text(runtime.get("name")) if isinstance(runtime, dict) else text(runtime)
    target: dict[str, Any] = {}
    if isinstance(targets, dict):
        target = targets.get(name) or next(reversed(targets.values()), {})
    found = []
    for key, told in list(libraries.items())[:MAX_RECORDS] if isinstance(libraries, dict) else ():
        title, _, version = text(key).partition("/")
        kind = told.get("type") if isinstance(told, dict) else None
        if not title or not version:
            problems.append("a library without a name or a version was left out")
            continue
        if kind not in ("package", "project", "runtimepack", None):
            continue
        entry = target.get(key) if isinstance(target, dict) else None
        entry = entry if isinstance(entry, dict) else {}
        project = kind == "project"
        needs = entry.get("dependencies")
        found.append(
            _Library(
                name=title.removeprefix("runtimepack."),
                version=version,
                project=project,
                files=tuple(dict.fromkeys(_files(entry, title if project else ""))),
                requires=tuple(text(one).removeprefix("runtimepack.") for one in needs) if isinstance(needs, dict) else (),
            )
        )
    return tuple(found)


def _files(entry: dict[str, Any], project: str) -> Iterable[bytes]:
    """Yield where a published application has the files: by name beside it, in a folder a language, or as told."""
    for asset in _ASSETS:
        listed = entry.get(asset)
        for path in listed if isinstance(listed, dict) else ():
            file = text(path).encode()
            base = file.rpartition(b"/")[2]
            yield base
            if asset == "resources":
                yield b"/".join(file.split(b"/")[-2:])
            elif asset == "runtimeTargets":
                yield file
    if project:
        yield from (f"{project}{ending}".encode() for ending in (".dll", ".exe", ".pdb", ".runtimeconfig.json", ""))


DOTNET = Database("dotnet", ("**/*.deps.json",), read)
