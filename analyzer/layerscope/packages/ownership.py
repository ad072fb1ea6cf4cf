"""Whose is each byte?

Every regular file's content belongs to exactly one owner: a package, or no package and then a class.
"""

from __future__ import annotations

from array import array
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from layerscope.columns import add_up
from layerscope.model import ONLY_FILES, ONLY_LIVE, LayerIndex, Package, Release, both, either
from layerscope.packages.aliases import Aliases
from layerscope.packages.claims import Claims
from layerscope.packages.classes import CLASSES, Classes
from layerscope.packages.column import FIRST_CLASS, assign
from layerscope.packages.contents import Contents
from layerscope.packages.databases import DATABASES
from layerscope.packages.paths import SHARED, join
from layerscope.packages.requirements import edges, known_roots, retained
from layerscope.packages.shares import OwnerShare, Ownership, PackageShare
from layerscope.packages.timeline import Presence, Timeline, Version, image_release, presences, timelines

if TYPE_CHECKING:
    from layerscope.packages.database import Database
    from layerscope.rootfs.stack import Stack

GENERIC = "generic"
"""The type of what no package manager brought."""


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
    contents = Contents(indexes, stack)
    if release is None:
        release = image_release(contents)
    aliases = Aliases(indexes)
    lines = _drop_known(timelines(contents, databases, release), aliases)
    found = [presence for line in lines for presence in presences(line).values()]
    numbers = {presence.package.key: number for number, presence in enumerate(found)}
    claims = Claims(numbers, aliases)
    column = assign(
        indexes,
        same_as,
        stack,
        claims=claims,
        heirs=Claims(numbers, aliases),
        gone={number for number, presence in enumerate(found) if presence.removed_in is not None},
        lines=lines,
        classes=Classes(_application(workdir)),
        folders=contents.folders,
    )
    parents, notes = claims.parents, tuple(note for line in lines for note in line.notes)
    del aliases, claims, contents, lines  # nobody wants them any more, and they are large
    tallies = _tally(indexes, same_as, stack, column)
    return Ownership(
        packages=_package_shares(found, parents, tallies),
        owners=_owner_shares(found, tallies),
        notes=notes,
        release=release,
        column=column,
    )


def price(ownership: Ownership, starts: Sequence[int], prices: Mapping[int, Sequence[float]]) -> Ownership:
    """Return an ownership that tells what a registry sends for each owner: `prices` of the rows of each distinct layer."""
    sums: defaultdict[int, float] = defaultdict(float)
    for position, costs in prices.items():
        for number, cost in zip(ownership.column[starts[position] : starts[position + 1]], costs, strict=True):
            sums[number] += cost
    owners: defaultdict[tuple[str | None, str | None], float] = defaultdict(float)
    for number, cost in sums.items():
        if number >= 0:
            owners[ownership.packages[number].package.type, None] += cost
        elif number <= FIRST_CLASS:
            owners[None, CLASSES[FIRST_CLASS - number]] += cost
    return replace(
        ownership,
        packages=tuple(replace(one, pull_bytes=round(sums[number])) for number, one in enumerate(ownership.packages)),
        owners=tuple(replace(one, pull_bytes=round(owners[one.owner, one.class_])) for one in ownership.owners),
    )


def _drop_known(lines: Sequence[Timeline], aliases: Aliases) -> list[Timeline]:
    """Leave out the runtimes (`generic`) that a distribution's database knows: they are its packages already."""
    packages = [package for line in lines for version in line.versions for package in version.packages]
    origins = {package.origin for package in packages if package.type == GENERIC}
    known: set[bytes] = set()
    for package in packages if origins else ():
        if package.system:
            known |= origins.intersection(package.paths)
            known |= origins.intersection(aliases.elsewhere(package.paths))
    if not known:
        return list(lines)

    def clean(version: Version) -> Version:
        kept = tuple(one for one in version.packages if one.type != GENERIC or one.origin not in known)
        return version if len(kept) == len(version.packages) else Version(version.position, kept)

    return [Timeline(line.database, tuple(map(clean, line.versions)), line.notes) for line in lines]


def _application(workdir: str | None) -> bytes:
    folder = join(b"", (workdir or "/").encode("utf-8", "surrogateescape"))
    return b"" if folder in SHARED else folder


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
        live = bytes(stack.fates[starts[position] : starts[position + 1]].translate(ONLY_LIVE))
        for other in repeats[position]:  # a file of a repeated layer lives if any of its rows does
            live = either(live, stack.fates[starts[other] : starts[other + 1]].translate(ONLY_LIVE))
        owners, files = column[starts[position] : starts[position + 1]], bytes(index.kinds.translate(ONLY_FILES))
        seen = add_up(owners, index.sizes, both(files, live))
        for number, (count, size) in add_up(owners, index.sizes, files).items():
            tallies[number].layers[position] = [size, size - seen.get(number, (0, 0))[1]]
            tallies[number].files += count
    return tallies


def _package_shares(
    found: Sequence[Presence], parents: Mapping[int, int], tallies: Mapping[int, _Tally]
) -> tuple[PackageShare, ...]:
    sizes = {number: tally.share() for number, tally in tallies.items() if number >= 0}
    there = {number: presence.package for number, presence in enumerate(found) if presence.removed_in is None}
    needs = edges(there)
    pulls = edges(there, recommended=True) if any(package.recommends for package in there.values()) else needs
    known = known_roots(there.values())
    kept = retained(there, pulls, {number: size for number, (size, _) in sizes.items()})
    required, wanted = (_names_of_wanting(there, graph) for graph in (needs, pulls))
    shares = []
    for number, presence in enumerate(found):
        tally = tallies.get(number) or _Tally()
        size, hidden = sizes.get(number, (0, 0))
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
                required_by=tuple(sorted(required.get(number, ()))),
                recommended_by=tuple(sorted(wanted.get(number, set()) - required.get(number, set()))),
                roots="known" if presence.package.type in known else "inferred",
                retained_bytes=kept.get(number),
            )
        )
    return tuple(shares)


def _names_of_wanting(packages: Mapping[int, Package], graph: Mapping[int, Sequence[int]]) -> dict[int, set[str]]:
    """Return number -> names of the packages that lead to it."""
    found: dict[int, set[str]] = {}
    for number, others in graph.items():
        for other in others:
            found.setdefault(other, set()).add(packages[number].name)
    return found


def _owner_shares(found: Sequence[Presence], tallies: Mapping[int, _Tally]) -> tuple[OwnerShare, ...]:
    """Return a row for each package type, also without bytes, and for each class that has files."""
    rows: dict[tuple[str | None, str | None], _Tally] = {(one.package.type, None): _Tally() for one in found}
    for number, tally in tallies.items():
        key = (found[number].package.type, None) if number >= 0 else (None, CLASSES[FIRST_CLASS - number])
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
