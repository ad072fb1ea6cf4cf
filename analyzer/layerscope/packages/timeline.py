"""Which packages were there, as of each layer?"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from layerscope.frozen import frozen
from layerscope.model import Note, Package, Release
from layerscope.packages.database import Database, View
from layerscope.packages.release import PATTERNS as RELEASE_PATTERNS
from layerscope.packages.release import read_release

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from layerscope.packages.contents import Contents, Span

Key = tuple[str, str, str, str | None, bytes]
Change = tuple[bytes, bytes | None]
"""A path and its new content, None if it went away."""


@frozen
class Version:
    """What a database held from a layer on, until its next version."""

    position: int
    packages: tuple[Package, ...]


@frozen
class Timeline:
    """One database through the layers; no versions if the image has none."""

    database: Database
    versions: tuple[Version, ...]
    notes: tuple[Note, ...]


@frozen
class Presence:
    """One installation through the layers.

    package      as the topmost version that holds it tells it
    layer        position of the first version that holds it
    removed_in   position from which on no version holds it, None if the last one does; in between it may have been away
    """

    package: Package
    layer: int
    removed_in: int | None


def timelines(contents: Contents, databases: Iterable[Database], release: Release | None = None) -> tuple[Timeline, ...]:
    """Read every database as of every layer that changes it. `release` is the image's own by default."""
    if release is None:
        release = image_release(contents)
    return tuple(_timeline(contents, database, release) for database in databases)


def presences(timeline: Timeline) -> dict[Key, Presence]:
    """Return every installation that any version holds, in the order in which they came."""
    found: dict[Key, Presence] = {}
    last: dict[Key, int] = {}
    versions = timeline.versions
    for number, version in enumerate(versions):
        for package in version.packages:
            key = package.key
            if last.get(key) == number:
                continue
            known = found.get(key)
            found[key] = Presence(package, version.position if known is None else known.layer, None)
            last[key] = number
    for key, number in last.items():
        if number + 1 < len(versions):
            found[key] = Presence(found[key].package, found[key].layer, versions[number + 1].position)
    return found


def image_release(contents: Contents) -> Release | None:
    """Return the distribution that a container sees; if the files that tell it were removed, what they told last."""
    release = None
    for _, files in states(contents.matching(RELEASE_PATTERNS)):
        release = read_release(files) or release
    return release


def _timeline(contents: Contents, database: Database, release: Release | None) -> Timeline:
    memo: dict[object, Any] = {}
    notes: list[Note] = []
    versions, moved = [], contents.moved
    for position, files in states(contents.of(database)):
        view = View(files, release, position, memo, notes)
        packages = tuple(database.read(view))
        if not moved.keys().isdisjoint(files):
            packages = tuple(replace(one, origin=moved.get(one.origin, one.origin)) for one in packages)
        versions.append(Version(position, packages))
    return Timeline(
        database, tuple(versions), tuple(replace(note, path=moved.get(note.path or b"", note.path)) for note in notes)
    )


def states(spans: Iterable[Span]) -> Iterator[tuple[int, dict[bytes, bytes]]]:
    """Yield (position, files) for each layer that changes one of a database's files, the same dict each time."""
    changes: defaultdict[int, list[Change]] = defaultdict(list)
    for position, ended, path, content in spans:
        changes[position].append((path, content))
        if ended >= 0:
            changes[ended].append((path, None))
    files: dict[bytes, bytes] = {}
    for position in sorted(changes):
        changed = False
        # A path that goes and comes in one layer is a replacement: what comes has the last word.
        news = dict(sorted(changes[position], key=lambda change: change[1] is not None))
        for path, content_ in news.items():
            if files.get(path) != content_:
                changed = True
                if content_ is None:
                    del files[path]
                else:
                    files[path] = content_
        if changed:
            yield position, files
