"""Why is a package there, and what leaves with it?"""

from __future__ import annotations

from difflib import get_close_matches

from layerscope.frozen import frozen
from layerscope.packages.requirements import edges, leaving, shortest_chain
from layerscope.packages.shares import Ownership, PackageShare


@frozen
class Chain:
    """One package and the way to it.

    share     the package
    links     the chain with the fewest recommendations, of those the shortest, from what was asked for to the package itself;
              of one that is gone only itself
    leaving   what leaves the image with it, itself first; empty for one that is gone
    versions  every installation of that name and type, also those that are gone, in the order of layers
    """

    share: PackageShare
    links: tuple[PackageShare, ...]
    leaving: tuple[PackageShare, ...]
    versions: tuple[PackageShare, ...]


def find_package(ownership: Ownership, subject: str) -> int | None:
    """Return the number of the package that a name, `type:name` or package URL means.

    Of several it is the heaviest that is there; of equals one that was asked for.
    """
    fits = [number for number, share in enumerate(ownership.packages) if subject in _names(share)]
    return min(fits, key=lambda number: _weight(ownership.packages[number]), default=None)


def near_packages(ownership: Ownership, subject: str) -> tuple[str, ...]:
    """Return the names that are nearest to one that is not there."""
    names = list(dict.fromkeys(share.package.name for share in ownership.packages))
    return tuple(get_close_matches(subject, names, 5, 0.5))


def find_rows(ownership: Ownership, number: int) -> list[int]:
    """Return the rows of the stack that go with a package: its own, those of all that leaves with it, and of older versions."""
    shares = ownership.packages
    there = {other: one.package for other, one in enumerate(shares) if one.removed_in is None}
    gone = leaving(there, edges(there, recommended=True), number) if number in there else [number]
    keys = {_installation(shares[other]) for other in gone}
    numbers = {other for other, one in enumerate(shares) if _installation(one) in keys}
    return [row for row, owner in enumerate(ownership.column) if owner in numbers]


def _installation(share: PackageShare) -> tuple[str, str, str | None, bytes]:
    package = share.package
    return (package.type, package.name, package.arch, package.location)


def explain_package(ownership: Ownership, number: int) -> Chain:
    """Return why a package is there."""
    shares = ownership.packages
    share = shares[number]
    there = {other: one.package for other, one in enumerate(shares) if one.removed_in is None}
    links, gone = [number], list[int]()
    if number in there:
        pulls = edges(there, recommended=True)
        links = shortest_chain(there, edges(there), pulls, number)
        gone = leaving(there, pulls, number)
    same = (one for one in shares if (one.package.type, one.package.name) == (share.package.type, share.package.name))
    return Chain(
        share=share,
        links=tuple(shares[other] for other in links),
        leaving=tuple(shares[other] for other in gone),
        versions=tuple(sorted(same, key=lambda one: (one.layer is not None, one.layer or 0))),
    )


def _names(share: PackageShare) -> tuple[str, ...]:
    package = share.package
    return (package.name, f"{package.type}:{package.name}", package.purl, f"{package.name}@{package.version}")


def _weight(share: PackageShare) -> tuple[bool, bool, int, bool]:
    return (share.removed_in is not None, share.parent is not None, -share.bytes, share.package.reason != "asked")
