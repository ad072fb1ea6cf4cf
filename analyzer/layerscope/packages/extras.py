"""Which distributions does a Python distribution need, in its environment and with its extras?

Nothing writes down with which extras a distribution was installed. One is taken to be if another distribution names it
(`Requires-Dist: uvicorn[standard]`), or if all that it asks for is there and nothing else accounts for some of it.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING

from layerscope.frozen import frozen
from layerscope.regex import regex

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

_REQUIREMENT = regex(r"\s*([A-Za-z0-9][A-Za-z0-9._-]*)\s*(?:\[([^]]*)\])?([^;]*)(?:;(.*))?", re.DOTALL)
_ONLY_EXTRA = regex(r"""\s*extra\s*==\s*(['"])([A-Za-z0-9._-]+)\1\s*""")
_EXTRA = regex(r"""\bextra\s*==\s*(['"])([A-Za-z0-9._-]+)\1""")
_KERNEL = regex(r"\bplatform_(?:release|version)\b")
_SEPARATORS = regex(r"[-_.]+")
_VERSION = regex(rb"(?:^|/)(?:python|pypy)(\d\.\d{1,2})/")
_MAX_MARKER = 1000
"""Characters of a marker that is looked at; a longer one is taken to be met."""

_MAX_MARKERS = 5000
"""Markers that are looked at for one environment; what is beyond is taken to be met."""

_LINUX = {
    "implementation_name": "cpython", "os_name": "posix", "platform_python_implementation": "CPython", "platform_release": "",
    "platform_system": "Linux", "platform_version": "", "sys_platform": "linux",
}  # fmt: skip
_MACHINES = ("x86_64", "aarch64")
_VERSIONS = tuple(f"3.{minor}" for minor in range(6, 16))


@frozen
class Wish:
    """One requirement; names of distributions and extras are as the index compares them.

    extras   with which the other distribution is wanted
    marker   when it holds, "" for always
    offered  extras of the asking distribution that its marker names
    """

    name: str
    extras: tuple[str, ...]
    marker: str
    offered: tuple[str, ...]


def normal(name: str) -> str:
    """Return a name of a distribution or an extra as the index compares it (PEP 503)."""
    return _SEPARATORS.sub("-", name).lower()


def read_wish(requirement: str, condition: str = "") -> Wish | None:
    """Parse `name[extra] >=1 ; marker`, None if it names nothing; `condition` is a marker for one that has none."""
    match = _REQUIREMENT.match(requirement)
    if match is None:
        return None
    name, extras, _, marker = match.groups()
    named = tuple(normal(extra.strip()) for extra in (extras or "").split(",") if extra.strip())
    when = (marker or "").strip() or condition
    offered = dict.fromkeys(normal(extra) for _, extra in _EXTRA.findall(when[:_MAX_MARKER])) if when else ()
    return Wish(normal(name), named, when, tuple(offered))


def python_of(site: bytes) -> str | None:
    """Return the version of the Python that a folder of packages belongs to, None if its name does not tell."""
    found = _VERSION.search(site + b"/")
    return found[1].decode() if found else None


def resolve(wishes: Mapping[str, Sequence[Wish]], asked: Iterable[str], version: str | None) -> dict[str, tuple[str, ...]]:
    """Return what each distribution of an environment needs, by names as the index compares them.

    wishes   what each distribution says it requires
    asked    those that were asked for
    version  of Python, None if unknown
    """
    needs: dict[str, set[str]] = {name: set() for name in wishes}
    offers: dict[tuple[str, str], list[Wish]] = {}
    for name, told in wishes.items():
        for wish in told:
            for extra in ("", *wish.offered):
                offers.setdefault((name, extra), []).append(wish)
    left = _MAX_MARKERS

    def holds(wish: Wish, extra: str) -> bool:
        """Tell whether a requirement holds with an extra ("" for none)."""
        nonlocal left
        left -= bool(wish.marker)
        return not wish.marker or left < 0 or _met(wish.marker, extra, version)

    def follow(todo: list[tuple[str, str]]) -> None:
        while todo:
            name, extra = todo.pop()
            for wish in offers.pop((name, extra), ()):
                # Of what is not there a marker is not worth a look.
                if (not wish.marker or wish.name in wishes) and holds(wish, extra):
                    needs[name].add(wish.name)
                    todo.extend((wish.name, other) for other in wish.extras)

    follow([(name, "") for name in wishes])
    accounted = {*asked, *(other for others in needs.values() for other in others)}
    for name, extra in list(offers):
        told = offers.get((name, extra), ())
        if any(wish.name in wishes and wish.name not in accounted for wish in told):
            held = [wish for wish in told if holds(wish, extra)]
            if all(wish.name in wishes for wish in held) and any(wish.name not in accounted for wish in held):
                follow([(name, extra)])
    return {
        name: tuple(dict.fromkeys(wish.name for wish in told if wish.name in needs[name] and wish.name != name))
        for name, told in wishes.items()
    }


@lru_cache(maxsize=10_000)
def _met(marker: str, extra: str, version: str | None) -> bool:
    """Tell whether a marker holds for some machine, and for some Python if its version is unknown; in doubt it does."""
    alone = _ONLY_EXTRA.fullmatch(marker)
    if alone:
        return normal(alone[2]) == extra
    if len(marker) > _MAX_MARKER or _KERNEL.search(marker):
        return True
    from packaging.markers import InvalidMarker, Marker, UndefinedComparison, UndefinedEnvironmentName

    try:
        parsed = Marker(marker)
        return any(
            parsed.evaluate(_LINUX | _python(one) | {"platform_machine": machine, "extra": extra})
            for machine in (_MACHINES if "platform_machine" in marker else _MACHINES[:1])
            for one in (_VERSIONS if version is None and "version" in marker else (version or _VERSIONS[-1],))
        )
    except (InvalidMarker, UndefinedComparison, UndefinedEnvironmentName, RecursionError, ValueError):
        return True


def _python(version: str) -> dict[str, str]:
    full = f"{version}.0"
    return {"python_version": version, "python_full_version": full, "implementation_version": full}
