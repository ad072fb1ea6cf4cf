"""Which packages are there, and how many bytes has each owner?"""

from __future__ import annotations

from array import array
from collections.abc import Mapping
from dataclasses import field

from layerscope.frozen import frozen
from layerscope.model import Note, Package, Release
from layerscope.packages.classes import CLASSES
from layerscope.packages.column import FIRST_CLASS


@frozen
class PackageShare:
    """One installed package and the bytes that are its.

    layer       position of the layer that brought it; None if its layer cannot be told
    removed_in  position of the layer that removed or superseded it
    parent      the distribution package that holds it: the bytes are the parent's
    by_layer    content bytes by layer position
    required_by       names of the packages that need it, at the end
    recommended_by    names of those that only recommend it
    roots             "known" or "inferred": whether something tells what was asked for
    retained_bytes    what leaves the image with it and all that only it needs; None if it is gone already
    pull_bytes        what a registry sends for its files, an estimate; None if nobody asked
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
    recommended_by: tuple[str, ...] = ()
    roots: str = "inferred"
    retained_bytes: int | None = None
    pull_bytes: int | None = None


@frozen
class OwnerShare:
    """The bytes of one kind of owner: a package type, or (owner None) a class of unowned files.

    `by_layer` maps a layer position to `(bytes, hidden bytes)`; `pull_bytes` as of a package.
    """

    owner: str | None
    class_: str | None
    bytes: int
    live_bytes: int
    hidden_bytes: int
    files: int
    by_layer: Mapping[int, tuple[int, int]]
    pull_bytes: int | None = None


@frozen
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
        return CLASSES[FIRST_CLASS - number] if number <= FIRST_CLASS else None
