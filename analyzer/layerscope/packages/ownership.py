"""Whose is each byte?

Every regular file's content belongs to exactly one owner: a package, or no package and then a class.
"""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from layerscope.model import Kind, LayerIndex, Note, Package, Release
from layerscope.packages import DATABASES
from layerscope.packages.aliases import Aliases
from layerscope.packages.claims import NOBODY, Claims
from layerscope.packages.classes import CLASSES, Classes
from layerscope.packages.paths import SHARED, join
from layerscope.packages.timeline import Presence, Timeline, Version, image_release, presences, timelines

if TYPE_CHECKING:
    from layerscope.packages.database import Database
    from layerscope.rootfs import Stack

_FIRST_CLASS = NOBODY - 1
_OWNABLE = frozenset({int(Kind.FILE), int(Kind.SYMLINK), int(Kind.HARDLINK)})


@dataclass(frozen=True, slots=True)
class PackageShare:
    """One installed package and the bytes that are its.

    layer       position of the layer that brought it; None if its layer cannot be told
    removed_in  position of the layer that removed or superseded it
    parent      the distribution package that holds it: the bytes are the parent's
    by_layer    content bytes by layer position
    roots       "known" or "inferred"
    """

    package: Package
    layer: int | None
    removed_in: int | None
    parent: Package | None
    bytes: int
    live_bytes: int
    hidden_bytes: int
    files: int
    by_layer: Mapping[int, int]
    required_by: tuple[str, ...] = ()
    roots: str = "inferred"
    retained_bytes: int | None = None


@dataclass(frozen=True, slots=True)
class OwnerShare:
    """The bytes of one kind of owner: a package type, or (owner None) a class of unowned files.

    `by_layer` maps a layer position to `(bytes, hidden bytes)`.
    """

    owner: str | None
    class_: str | None
    bytes: int
    live_bytes: int
    hidden_bytes: int
    files: int
    by_layer: Mapping[int, tuple[int, int]]


@dataclass(frozen=True, slots=True)
class Ownership:
    """Every package and every owner; the owner rows sum to the image's content.

    column   who has each row, by row id: index in `packages`, `NOBODY`, or a class (see `class_of`)
    """

    packages: tuple[PackageShare, ...]
    owners: tuple[OwnerShare, ...]
    notes: tuple[Note, ...] = ()
    release: Release | None = None
    column: array[int] = field(default_factory=lambda: array("i"))

    def owner_of(self, row: int) -> Package | None:
        """Return the package that has a row, by row id; a hard link's is its file's."""
        number = self.column[row]
        return self.packages[number].package if number >= 0 else None

    def class_of(self, row: int) -> str | None:
        """Return the class of a file that no package has, None for any other row."""
        number = self.column[row]
        return CLASSES[_FIRST_CLASS - number] if number <= _FIRST_CLASS else None


def own(
    indexes: Sequence[LayerIndex | None],
    same_as: Sequence[int | None],
    stack: Stack,
    databases: Iterable[Database] = DATABASES,
    release: Release | None = None,
    *,
    workdir: str | None = None,
) -> Ownership:
    """Give every file's content to one owner.

    `indexes` holds one index a layer position, repeated layers again, None where the blob is missing; `same_as` the
    position that a layer repeats: its bytes count there, once. `workdir` is the config's: an application lies below it,
    if it is not a folder of the system.
    """
    if release is None:
        release = image_release(indexes, stack)
    lines = timelines(indexes, stack, databases, release)
    found = [presence for line in lines for presence in presences(line).values()]
    numbers = {presence.package.key: number for number, presence in enumerate(found)}
    claims = Claims(numbers, Aliases(indexes))
    column = _column(indexes, same_as, stack, claims=claims, lines=lines, classes=Classes(_application(workdir)))
    tallies = _tally(indexes, same_as, stack, column)
    return Ownership(
        packages=_package_shares(found, claims.parents, tallies),
        owners=_owner_shares(found, tallies),
        notes=tuple(note for line in lines for note in line.notes),
        release=release,
        column=column,
    )


def _application(workdir: str | None) -> bytes:
    folder = join(b"", (workdir or "/").encode("utf-8", "surrogateescape"))
    return b"" if folder in SHARED else folder


def _column(
    indexes: Sequence[LayerIndex | None],
    same_as: Sequence[int | None],
    stack: Stack,
    *,
    claims: Claims,
    lines: Iterable[Timeline],
    classes: Classes,
) -> array[int]:
    """Return who has each row, walking from the top layer to the base."""
    starts = stack.starts
    column = array("i", [NOBODY]) * starts[-1]
    schedule = _schedule(lines, len(indexes))
    linked: dict[int, int] = {}
    for position in reversed(range(len(indexes))):
        for version in schedule.get(position, ()):
            claims.lay(version.packages)
        index, start = indexes[position], starts[position]
        if index is None or same_as[position] is not None:
            continue
        owners = _owners(index, claims, classes)
        for row in sorted((row for row in index.links if index.kinds[row] == Kind.HARDLINK), reverse=True):
            if owners[row] >= 0:
                linked[_first(stack.inodes.get(start + row, -1), starts, same_as)] = owners[row]
        column[start : starts[position + 1]] = owners
    # A file without an owner of its own name has that of the first link to it that has one.
    for row, number in linked.items():
        if row >= 0 and column[row] < 0:
            column[row] = number
    for position, original in enumerate(same_as):
        if original is not None:
            column[starts[position] : starts[position + 1]] = column[starts[original] : starts[original + 1]]
    for row, inode in stack.inodes.items():
        column[row] = column[inode] if inode >= 0 else NOBODY
    return column


def _schedule(lines: Iterable[Timeline], layers: int) -> dict[int, list[Version]]:
    """Return layer position -> versions to lay before its rows, on the way down: all that speak of it or later ones.

    Databases of the system come first, so that language packages find their parents.
    """
    schedule: defaultdict[int, list[Version]] = defaultdict(list)
    for line in sorted(lines, key=lambda line: not any(p.system for v in line.versions for p in v.packages)):
        next_position = layers
        for version in reversed(line.versions):
            schedule[next_position - 1].append(version)
            next_position = version.position
    return schedule


def _owners(index: LayerIndex, claims: Claims, classes: Classes) -> array[int]:
    """Return who has each row of one layer, by its own name; links that nobody lists and folders are nobody's."""
    listed, owner, rank = claims.paths.get, claims.owner, classes.rank
    owners = array("i", [NOBODY]) * len(index.paths)
    for row, (path, kind) in enumerate(zip(index.paths, index.kinds, strict=True)):
        if kind not in _OWNABLE:
            continue
        number = listed(path)
        if number is None:
            number = owner(path)
            if number == NOBODY and kind == Kind.FILE:
                number = _FIRST_CLASS - rank(path)
        owners[row] = number
    return owners


def _first(row: int, starts: Sequence[int], same_as: Sequence[int | None]) -> int:
    """Return the row that counts: of a repeated layer the one in its first position."""
    if row < 0:
        return row
    position = bisect_right(starts, row) - 1
    original = same_as[position]
    return row if original is None else starts[original] + row - starts[position]


@dataclass(slots=True)
class _Tally:
    """What one owner has: by layer position [bytes, hidden bytes], and files."""

    layers: dict[int, list[int]] = field(default_factory=dict)
    files: int = 0

    def share(self) -> tuple[int, int]:
        """Return bytes and hidden bytes of all layers."""
        return sum(here[0] for here in self.layers.values()), sum(here[1] for here in self.layers.values())


def _tally(
    indexes: Sequence[LayerIndex | None], same_as: Sequence[int | None], stack: Stack, column: array[int]
) -> dict[int, _Tally]:
    """Sum the content of regular files by owner and layer."""
    starts = stack.starts
    tallies: defaultdict[int, _Tally] = defaultdict(_Tally)
    repeats: defaultdict[int, list[int]] = defaultdict(list)
    for position, original in enumerate(same_as):
        if original is not None:
            repeats[original].append(position)
    for position, index in enumerate(indexes):
        if index is None or same_as[position] is not None:
            continue
        fates = stack.fates[starts[position] : starts[position + 1]]
        for other in repeats[position]:
            # LIVE is 0 and the least: a file of a repeated layer lives if any of its rows does.
            fates = bytearray(map(min, fates, stack.fates[starts[other] : starts[other + 1]]))
        here: dict[int, list[int]] = {}
        owners = column[starts[position] : starts[position + 1]]
        for kind, size, number, fate in zip(index.kinds, index.sizes, owners, fates, strict=True):
            if kind == Kind.FILE:
                sums = here.get(number)
                if sums is None:
                    sums = here[number] = [0, 0, 0]
                sums[0] += size
                sums[1] += size if fate else 0
                sums[2] += 1
        for number, (size, hidden, files) in here.items():
            tallies[number].layers[position] = [size, hidden]
            tallies[number].files += files
    return tallies


def _package_shares(
    found: Sequence[Presence], parents: Mapping[int, int], tallies: Mapping[int, _Tally]
) -> tuple[PackageShare, ...]:
    wanted_by = _wanted_by(found)
    shares = []
    for number, presence in enumerate(found):
        tally = tallies.get(number) or _Tally()
        size, hidden = tally.share()
        holder = parents.get(number)
        shares.append(
            PackageShare(
                package=presence.package,
                layer=presence.layer,
                removed_in=presence.removed_in,
                parent=None if holder is None else found[holder].package,
                bytes=size,
                live_bytes=size - hidden,
                hidden_bytes=hidden,
                files=tally.files,
                by_layer={position: here[0] for position, here in sorted(tally.layers.items())},
                required_by=wanted_by.get((presence.package.type, presence.package.name), ()),
            )
        )
    return tuple(shares)


def _wanted_by(found: Iterable[Presence]) -> dict[tuple[str, str], tuple[str, ...]]:
    """Return (type, name) -> names of the packages that are there at the end and require it."""
    wanted: defaultdict[tuple[str, str], dict[str, None]] = defaultdict(dict)
    for presence in found:
        if presence.removed_in is None:
            for name in presence.package.requires:
                wanted[presence.package.type, name][presence.package.name] = None
    return {key: tuple(sorted(names)) for key, names in wanted.items()}


def _owner_shares(found: Sequence[Presence], tallies: Mapping[int, _Tally]) -> tuple[OwnerShare, ...]:
    """Return a row for each package type, also without bytes, and for each class that has files."""
    rows: dict[tuple[str | None, str | None], _Tally] = {(one.package.type, None): _Tally() for one in found}
    for number, tally in tallies.items():
        key = (found[number].package.type, None) if number >= 0 else (None, CLASSES[_FIRST_CLASS - number])
        row = rows.setdefault(key, _Tally())
        row.files += tally.files
        for position, (size, hidden) in tally.layers.items():
            sums = row.layers.setdefault(position, [0, 0])
            sums[0] += size
            sums[1] += hidden
    shares = []
    for (owner, class_), row in rows.items():
        size, hidden = row.share()
        by_layer = {position: (here[0], here[1]) for position, here in sorted(row.layers.items())}
        shares.append(OwnerShare(owner, class_, size, size - hidden, hidden, row.files, by_layer))
    return tuple(sorted(shares, key=lambda share: (-share.bytes, share.owner or "", share.class_ or "")))
