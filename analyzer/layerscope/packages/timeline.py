"""Which packages were there, as of each layer?"""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from layerscope.model import Kind, LayerIndex, Note, Package, Release
from layerscope.packages.database import Database, View
from layerscope.packages.patterns import compile_patterns
from layerscope.packages.release import PATTERNS as RELEASE_PATTERNS
from layerscope.packages.release import read_release

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from layerscope.rootfs import Stack

_MARKS = frozenset({Kind.WHITEOUT, Kind.OPAQUE})

Key = tuple[str, str, str, str | None, bytes]
Change = tuple[bytes, bytes | None]
"""A path and its new content, None if it went away."""


@dataclass(frozen=True, slots=True)
class Version:
    """What a database held from a layer on, until its next version."""

    position: int
    packages: tuple[Package, ...]


@dataclass(frozen=True, slots=True)
class Timeline:
    """One database through the layers; no versions if the image has none."""

    database: Database
    versions: tuple[Version, ...]
    notes: tuple[Note, ...]


@dataclass(frozen=True, slots=True)
class Presence:
    """One installation through the layers.

    package      as the topmost version that holds it tells it
    layer        position of the first version that holds it
    removed_in   position from which on no version holds it, None if the last one does; in between it may have been away
    """

    package: Package
    layer: int
    removed_in: int | None


def timelines(
    indexes: Sequence[LayerIndex | None], stack: Stack, databases: Iterable[Database], release: Release | None = None
) -> tuple[Timeline, ...]:
    """Read every database as of every layer that changes it. `release` is the image's own by default."""
    if release is None:
        release = image_release(indexes, stack)
    return tuple(_timeline(indexes, stack, database, release) for database in databases)


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


def image_release(indexes: Sequence[LayerIndex | None], stack: Stack) -> Release | None:
    """Return the distribution that a container sees; if the files that tell it were removed, what they told last."""
    release = None
    for _, files in _states(indexes, stack, compile_patterns(RELEASE_PATTERNS)):
        release = read_release(files) or release
    return release


def _timeline(indexes: Sequence[LayerIndex | None], stack: Stack, database: Database, release: Release | None) -> Timeline:
    memo: dict[object, Any] = {}
    notes: list[Note] = []
    versions = []
    for position, files in _states(indexes, stack, compile_patterns(database.patterns), database):
        view = View(files, release, position, memo, notes)
        versions.append(Version(position, tuple(database.read(view))))
    return Timeline(database, tuple(versions), tuple(notes))


def _states(
    indexes: Sequence[LayerIndex | None], stack: Stack, keep: Callable[[bytes], bool], database: Database | None = None
) -> Iterator[tuple[int, dict[bytes, bytes]]]:
    """Yield (position, files) for each layer that changes one of the files, the same dict each time."""
    files: dict[bytes, bytes] = {}
    changes = _changes(indexes, stack, keep)
    if database is not None and database.places:
        _add_places(changes, indexes, stack, database.places)
    if database is not None and database.inspect is not None:
        _add_inspected(changes, indexes, stack, database.name)
    for position in sorted(changes):
        changed = False
        # A path that goes and comes in one layer is a replacement: what comes has the last word.
        news = dict(sorted(changes[position], key=lambda change: change[1] is not None))
        for path, content in news.items():
            if files.get(path) != content:
                changed = True
                if content is None:
                    del files[path]
                else:
                    files[path] = content
        if changed:
            yield position, files


def _changes(
    indexes: Sequence[LayerIndex | None], stack: Stack, keep: Callable[[bytes], bool]
) -> defaultdict[int, list[Change]]:
    """Return by layer position what came and what went."""
    changes: defaultdict[int, list[Change]] = defaultdict(list)
    for position, index in enumerate(indexes):
        if index is None:
            continue
        start = stack.starts[position]
        for row, path, content in _kept(indexes, stack, position):
            ended = stack.name_ended(start + row)
            if keep(path) and ended != position:
                changes[position].append((path, content))
                if ended >= 0:
                    changes[ended].append((path, None))
    return changes


def _add_places(
    changes: defaultdict[int, list[Change]], indexes: Sequence[LayerIndex | None], stack: Stack, places: tuple[str, ...]
) -> None:
    """Add what comes and goes of the paths that matter by their presence; their content is empty."""
    matches = compile_patterns(places)
    starts = tuple({pattern.partition("*")[0].encode() for pattern in places if not pattern.startswith("*")})
    ends = tuple({pattern.rpartition("*")[2].encode() for pattern in places if pattern.startswith("*")})
    for position, index in enumerate(indexes):
        if index is None:
            continue
        rows = [row for row, path in enumerate(index.paths) if path.startswith(starts) or path.endswith(ends)]
        for row in rows:
            path = index.paths[row]
            ended = stack.name_ended(stack.starts[position] + row)
            if index.kinds[row] in _MARKS or ended == position or not matches(path):
                continue
            changes[position].append((path, b""))
            if ended >= 0:
                changes[ended].append((path, None))


def _add_inspected(
    changes: defaultdict[int, list[Change]], indexes: Sequence[LayerIndex | None], stack: Stack, name: str
) -> None:
    """Add what comes and goes of what a look inside told; under the file's own name, not under those of links."""
    for position, index in enumerate(indexes):
        if index is None:
            continue
        for row, found in index.inspected.items():
            ended = stack.ended[stack.starts[position] + row]
            for who, told in found:
                if who == name and ended != position:
                    changes[position].append((index.paths[row], told))
                    if ended >= 0:
                        changes[ended].append((index.paths[row], None))


def _kept(indexes: Sequence[LayerIndex | None], stack: Stack, position: int) -> Iterator[tuple[int, bytes, bytes]]:
    """Yield (row, path, content) of a layer's kept files, also under the further names that hard links give them."""
    index = indexes[position]
    assert index is not None
    for row, content in index.kept.items():
        yield row, index.paths[row], content
    start = stack.starts[position]
    for row in index.links:
        if index.kinds[row] != Kind.HARDLINK:
            continue
        inode = stack.inodes.get(start + row, -1)
        if inode < 0:
            continue
        home = _position(stack, inode)
        there = indexes[home]
        content_ = there.kept.get(inode - stack.starts[home]) if there is not None else None
        if content_ is not None:
            yield row, index.paths[row], content_


def _position(stack: Stack, row: int) -> int:
    """Return the layer position of a row id."""
    return bisect_right(stack.starts, row) - 1
