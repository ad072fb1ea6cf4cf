"""Which packages does the running image need, and what are the others there for?"""

from __future__ import annotations

from array import array
from collections.abc import Collection, Iterable, Mapping

from layerscope.analysis.commands import run_rows
from layerscope.frozen import frozen
from layerscope.model import Image, Package
from layerscope.regex import regex
from layerscope.rootfs.stack import Stack

ASKED = frozenset({"asked", "root", "base"})
COMPILER = regex(r"(?:gcc|g\+\+|clang|tcc|rust|rustc|cargo|go|golang|golang-go|ghc|gfortran|gcc-c\+\+)(?:-[\d.]+)?")
BUILD = regex(
    r"(?:gcc|g\+\+|cpp|gfortran|gnat|gdc|clang|clang-tools|lld|lldb|gdb|tcc)(?:-?[\d.]+)?"
    r"|gcc-c\+\+|gcc-gfortran|build-essential|build-base|alpine-sdk|abuild|fortify-headers|dpkg-dev|debhelper|rpm-build"
    r"|make|gmake|cmake(?:-data)?|ninja(?:-build)?|meson|scons|autoconf|automake|autotools-dev|libtool|m4|bison|flex|gperf|swig"
    r"|nasm|yasm|pkgconf(?:-bin|-pkg-config)?|pkg-config|binutils(?:-.*)?|patchelf|cython3?"
    r"|rustc?|cargo|go|golang(?:-go|-src|-bin|-[\d.]+.*)?|ghc|.*-jdk(?:-headless)?|.*-openjdk-devel|maven|gradle|ant"
    r"|linux-headers.*|linux-libc-dev|kernel-headers|glibc-headers|.*-dev(?:-bin)?|.*-devel|\.build-.*"
)
USEFUL = frozenset({"ca-certificates", "tzdata", "netbase"})
"""Recommended packages that programs look for without saying so."""


@frozen
class Demand:
    """Numbers of packages.

    kept         what was asked for, what the container runs, and what these need
    build        what only building needs
    development  what a package manager installed for development (npm)
    recommended  what is there only because apt installs recommendations
    compiles     whether a compiler is among what is kept
    """

    kept: frozenset[int] = frozenset()
    build: frozenset[int] = frozenset()
    development: frozenset[int] = frozenset()
    recommended: frozenset[int] = frozenset()
    compiles: bool = False


def find_demand(
    image: Image, stack: Stack, column: array[int], packages: Mapping[int, Package], needs: Mapping[int, Collection[int]]
) -> Demand:
    """Sort the packages that are there by what they are for; in doubt a package is needed."""
    if not packages:
        return Demand()
    running = {column[row] for row in run_rows(image, stack)} & packages.keys()
    build = {number for number, package in packages.items() if package.system and BUILD.fullmatch(package.name)}
    development = {number for number, package in packages.items() if package.reason == "dev"}
    recommended = {number for number, package in packages.items() if package.reason == "recommended" and package.system}
    useful = {number for number in recommended if packages[number].name in USEFUL}
    doubted = build | development | recommended
    roots = (_roots(packages, needs) - doubted) | running | useful
    kept = reach(roots, needs)
    only_build = _only(build, kept, needs, packages)
    only_development = _only(development, kept, needs, packages) - only_build
    return Demand(
        kept=frozenset(kept),
        build=frozenset(only_build),
        development=frozenset(only_development),
        recommended=frozenset(recommended - kept - only_build),
        compiles=any(COMPILER.fullmatch(packages[number].name) for number in kept if packages[number].system),
    )


def reach(roots: Iterable[int], needs: Mapping[int, Collection[int]]) -> set[int]:
    """Return what roots lead to, themselves included."""
    reached = set(roots)
    waiting = list(reached)
    while waiting:
        for other in needs.get(waiting.pop(), ()):
            if other not in reached:
                reached.add(other)
                waiting.append(other)
    return reached


def _roots(packages: Mapping[int, Package], needs: Mapping[int, Collection[int]]) -> set[int]:
    """Return what was asked for, and what nothing requires."""
    required = {other for others in needs.values() for other in others}
    return {number for number, package in packages.items() if package.reason in ASKED or number not in required}


def _only(seeds: set[int], kept: set[int], needs: Mapping[int, Collection[int]], packages: Mapping[int, Package]) -> set[int]:
    """Return the seeds that nothing needs, and what only they need."""
    mine = seeds - kept
    return {number for number in reach(mine, needs) - kept if packages[number].reason not in ASKED or number in mine}
