"""Which files are as their packages shipped them, and which are not?

Each file is held against what the databases as of its layer, and later ones, tell of its path: one digest that fits is enough,
whichever package tells it. So a file that another package took over, or that came a layer before its database, is no finding.
Nor is one that people are meant to change (dpkg's conffiles, rpm's %config, what lies below etc/ for apk), compiled Python, one
that no digest is known of, or one that is not there.
"""

from __future__ import annotations

import hashlib
from bisect import bisect_right
from collections import defaultdict
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from layerscope.frozen import frozen
from layerscope.model import SUMS, Deviation, Kind, LayerIndex
from layerscope.packages.aliases import Aliases
from layerscope.packages.contents import Contents
from layerscope.packages.database import MAX_GROWTH, View
from layerscope.packages.databases import DATABASES
from layerscope.packages.timeline import states

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from layerscope.packages.database import Database, Seals
    from layerscope.rootfs.stack import Stack

MOST = 50
"""Packages, and versions of them, whose digests of one path are looked at."""

_SIZES = tuple(hashlib.new(name, usedforsecurity=False).digest_size for name in SUMS)
_PLACES = {name: slice(sum(_SIZES[:at]), sum(_SIZES[: at + 1])) for at, name in enumerate(SUMS)}
_EMPTY = b"".join(hashlib.new(name, usedforsecurity=False).digest() for name in SUMS)


@frozen
class Verification:
    """What digests tell. `vendor` maps the row id of an unchanged file of a published package to that package."""

    vendor: dict[int, str]
    deviations: tuple[Deviation, ...]
    verified: int
    """Files that are as their package shipped them."""


class Verifier:
    """Walks from the top layer to the base, laying the seals of earlier databases beside those of later ones."""

    def __init__(self, aliases: Aliases) -> None:
        self._aliases = aliases
        self._known: dict[bytes, list[tuple[Seals, bytes]]] = {}
        self._laid: dict[int, Seals] = {}
        self._waiting: dict[bytes, list[int]] = {}
        self.vendor: dict[int, str] = {}
        self.deviations: list[Deviation] = []
        self.verified = 0

    def lay(self, seals: Seals) -> None:
        """Take in what a database tells of one package; the same again is passed over."""
        if id(seals) in self._laid:
            return
        self._laid[id(seals)] = seals  # held, so that no other can get its identity
        room = MAX_GROWTH * sum(map(len, seals.digests))
        size = _SIZES[SUMS.index(seals.algorithm)]
        for listed, digest in seals.digests.items():
            if len(digest) != size:
                continue
            self._add(listed, seals, listed)
            folder, slash, name = listed.rpartition(b"/")
            real = self._aliases.folder(folder)
            if real != folder and room > 0:
                room -= len(real)
                self._add(real + slash + name if real else name, seals, listed)

    def _add(self, path: bytes, seals: Seals, listed: bytes) -> None:
        known = self._known.setdefault(path, [])
        if len(known) < MOST:
            known.append((seals, listed))

    def check(self, row: int, path: bytes, position: int, sums: bytes | None) -> None:
        """Hold a file against what is known of its path."""
        known = self._known.get(path)
        if known is None or sums is None:
            return
        fitting = [seals for seals, listed in known if sums[_PLACES[seals.algorithm]] == seals.digests[listed]]
        if fitting:
            self.verified += 1
            package = next((seals.package for seals in fitting if seals.published), None)
            if package is not None:
                self.vendor[row] = package
            for number in self._waiting.pop(path, ()):
                self.deviations[number] = replace(self.deviations[number], intact=position)
        elif not any(listed in seals.changing for seals, listed in known):
            seals, listed = known[-1]
            found = sums[_PLACES[seals.algorithm]]
            self._waiting.setdefault(path, []).append(len(self.deviations))
            self.deviations.append(Deviation(row, seals.package, seals.algorithm, seals.digests[listed], found))


def verify(
    indexes: Sequence[LayerIndex | None],
    same_as: Sequence[int | None],
    stack: Stack,
    databases: Iterable[Database] = DATABASES,
) -> Verification:
    """Hold every file of which digests were taken against the package databases."""
    verifier = Verifier(Aliases(indexes))
    schedule = _schedule(Contents(indexes, stack), databases, len(indexes))
    for position in reversed(range(len(indexes))):
        for seals in schedule.get(position, ()):
            verifier.lay(seals)
        index, start = indexes[position], stack.starts[position]
        if index is None or same_as[position] is not None:
            continue
        for row, (path, kind) in enumerate(zip(index.paths, index.kinds, strict=True)):
            if kind == Kind.FILE:
                verifier.check(start + row, path, position, _sums(index, row))
            elif kind == Kind.HARDLINK:
                verifier.check(start + row, path, position, _linked(indexes, stack, start + row))
    deviations = sorted(verifier.deviations, key=lambda one: one.row)
    return Verification(verifier.vendor, tuple(deviations), verifier.verified)


def _schedule(contents: Contents, databases: Iterable[Database], layers: int) -> dict[int, list[Seals]]:
    """Return layer position -> seals to lay before its rows on the way down: those of the database as of it."""
    schedule: defaultdict[int, list[Seals]] = defaultdict(list)
    for database in databases:
        if database.seals is None:
            continue
        memo: dict[object, Any] = {}
        versions = [
            (position, tuple(database.seals(View(files, None, position, memo))))
            for position, files in states(contents.of(database))
        ]
        after = layers
        for position, found in reversed(versions):
            schedule[after - 1].extend(found)
            after = position
    return schedule


def _sums(index: LayerIndex, row: int) -> bytes | None:
    return index.sums.get(row) if index.sizes[row] else _EMPTY


def _linked(indexes: Sequence[LayerIndex | None], stack: Stack, row: int) -> bytes | None:
    """Return the digests of the file that a hard link leads to, None where it leads nowhere."""
    inode = stack.inodes.get(row, -1)
    if inode < 0:
        return None
    position = bisect_right(stack.starts, inode) - 1
    index = indexes[position]
    return None if index is None else _sums(index, inode - stack.starts[position])
