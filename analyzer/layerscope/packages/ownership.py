"""Whose is each byte?

Every regular file's content belongs to exactly one owner: a package, or no package and then a class.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from layerscope.model import Package


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
    """Every package and every owner; the owner rows sum to the image's content."""

    packages: tuple[PackageShare, ...]
    owners: tuple[OwnerShare, ...]
