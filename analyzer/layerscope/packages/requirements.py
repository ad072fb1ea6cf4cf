"""Which packages need which, and what would leave the image with one of them?

The graph has the packages that are there at the end. Its roots are what was asked for, the base system, applications and
what they list for development; where nothing tells (`roots` "inferred") every package that nothing requires. What no root
leads to hangs on the virtual root beside them: packages that nothing requires first, of a cycle the first one.

What leaves with a package is what a package manager would not have installed without it, so recommendations are followed, too.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from layerscope.packages.dominators import dominators
from layerscope.packages.paths import parent, shallow
from layerscope.packages.text import text

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from layerscope.model import Package

_ASKED = frozenset({"asked", "root"})
_ROOTS = _ASKED | {"base"}


def edges(packages: Mapping[int, Package], *, recommended: bool = False) -> dict[int, tuple[int, ...]]:
    """Return number -> numbers of the packages that a package requires, or also recommends; of several copies the nearest."""
    # What answers to a name: the first package, and where each copy is at home.
    known: dict[tuple[str, str], tuple[int, dict[bytes, int]]] = {}
    for number, package in packages.items():
        home, name = _home(package)
        known.setdefault((package.type, name), (number, {}))[1][home] = number
        if package.location:
            # A Nix store path is required by its path, and what a link of pnpm leads to.
            known.setdefault((package.type, f"/{text(package.location)}"), (number, {}))
    found = {}
    for number, package in packages.items():
        needed: dict[int, None] = {}
        for required in (*package.requires, *package.recommends) if recommended else package.requires:
            answer = known.get((package.type, required))
            if answer is not None:
                other, homes = answer
                nearest = _nearest(package.location, homes) if len(homes) > 1 else None
                other = other if nearest is None else nearest
                if other not in needed and _sees(package.location, packages[other].location):
                    needed[other] = None
        needed.pop(number, None)
        found[number] = tuple(needed)
    return found


def _home(package: Package) -> tuple[bytes, str]:
    """Return the folder from which, and from below which, a package is found, and by which name.

    Node.js goes by the name of the folder, which is another one where package.json has an alias (`npm:NAME@VERSION`).
    """
    home, modules, name = (b"/" + package.location).rpartition(b"/node_modules/")
    return (home[1:], text(name)) if modules else (package.location, package.name)


def _sees(location: bytes, other: bytes) -> bool:
    """Tell whether a package may use another: what lies in `node_modules` of an application is for what lies below it."""
    if not other:
        return True
    base, modules, _ = (b"/" + other).partition(b"/node_modules/")
    return not modules or (b"/" + location + b"/").startswith(base + b"/")


def _nearest(location: bytes, homes: Mapping[bytes, int]) -> int | None:
    """Return what is at home in a location or in the nearest folder above it."""
    place = shallow(location)
    while place not in homes and place:
        place = parent(place)
    return homes.get(place)


def known_roots(packages: Iterable[Package]) -> frozenset[str]:
    """Return the package types of which something tells what was asked for."""
    return frozenset(package.type for package in packages if package.reason in _ASKED)


def retained(packages: Mapping[int, Package], needs: Mapping[int, Sequence[int]], sizes: Mapping[int, int]) -> dict[int, int]:
    """Return number -> bytes that leave the image with a package and everything that only it needs."""
    roots = find_roots(packages, needs)
    virtual = -1
    order, above = dominators({**needs, virtual: roots}, virtual)
    totals = {number: sizes.get(number, 0) for number in order}
    for number, holder in zip(reversed(order), reversed(above), strict=True):
        if number != holder:
            totals[holder] += totals[number]
    del totals[virtual]
    return totals


def find_roots(packages: Mapping[int, Package], needs: Mapping[int, Sequence[int]]) -> list[int]:
    """Return what hangs on the virtual root: together they lead to every package."""
    known = known_roots(packages.values())
    roots = [number for number, one in packages.items() if one.type in known and one.reason in _ROOTS]
    applications = [number for number in roots if packages[number].reason == "root"]
    roots += {other: None for one in applications for other in needs[one] if packages[other].reason == "dev"}
    reached = set[int]()
    _reach(roots, needs, reached)
    left = packages.keys() - reached
    required = {other for number in left for other in needs[number]}
    for number in (*(one for one in packages if one not in required), *packages):
        if number not in reached:
            roots.append(number)
            _reach([number], needs, reached)
    return roots


def leaving(packages: Mapping[int, Package], needs: Mapping[int, Sequence[int]], number: int) -> list[int]:
    """Return what leaves the image with a package, itself first: all that no root leads to any more without it."""
    reached = {number}
    _reach((root for root in find_roots(packages, needs) if root != number), needs, reached)
    return [number, *(other for other in packages if other not in reached)]


def shortest_chain(
    packages: Mapping[int, Package], needs: Mapping[int, Sequence[int]], pulls: Mapping[int, Sequence[int]], number: int
) -> list[int]:
    """Return the way from a root to a package with the fewest recommendations, and of those the shortest.

    `needs` are the requirements, `pulls` has the recommendations as well. Of two ways it is one that begins with what was
    asked for.
    """
    roots = find_roots(packages, pulls)
    before: dict[int, int | None] = dict.fromkeys(sorted(roots, key=lambda root: packages[root].reason not in _ASKED))
    todo, seen = deque(before), list[int]()
    while todo and number not in before:
        one = todo.popleft()
        seen.append(one)
        for other in needs[one]:
            if other not in before:
                before[other] = one
                todo.append(other)
        if not todo:
            for one in seen:
                for other in pulls[one]:
                    if other not in before:
                        before[other] = one
                        todo.append(other)
            seen.clear()
    chain, step = [], number if number in before else None
    while step is not None:
        chain.append(step)
        step = before[step]
    return chain[::-1]


def _reach(roots: Iterable[int], needs: Mapping[int, Sequence[int]], reached: set[int]) -> None:
    """Add everything that `roots` lead to."""
    todo = [root for root in roots if root not in reached]
    reached.update(todo)
    while todo:
        news = [other for other in needs[todo.pop()] if other not in reached]
        reached.update(news)
        todo.extend(news)
