"""How is it known by its path that a file need not be there, and how is it kept out?

A `Trace` is a declaration: folders and names, and what to do about them. `Lookup` answers for each path of an image which
trace is the first to fit.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import cache
from typing import TYPE_CHECKING

from layerscope.frozen import frozen

if TYPE_CHECKING:
    from layerscope.analysis.scene import Scene

Check = Callable[["Scene", bytes], bool]
ANYWHERE = "**/"
DEPTH = 128
"""Components of a folder that are looked at; the work on a path stays in proportion to its length."""


@frozen
class Trace:
    """What something leaves behind.

    title     what the cause says
    folders   folders whose files, at any depth, are meant; `**/` in front stands for any place
    endings   how single files end that are meant as well; at least two bytes
    files     regular expression of their names, if the endings do not tell enough
    within    regular expression of the folders that they lie in, a slash behind each; None for any folder
    named     names of folders: in one of any other name they lie only where it is `deep` in a folder that they lie in
    deep      whether they lie in the folders below as well, whatever these are called
    spare     regular expression of paths that stay
    check     a last question about a path
    run       the fix where a command made them: {layer} is its position, {top} the folder of the largest,
            {target} where a cache mount is to be
    copy      the fix where a COPY or ADD brought them
    base      the fix where the base image brings them, if there is one
    """

    title: str
    folders: tuple[str, ...] = ()
    endings: tuple[str, ...] = ()
    files: str | None = None
    within: str | None = None
    named: tuple[str, ...] = ()
    deep: bool = False
    spare: str | None = None
    check: Check | None = None
    run: str = ""
    ways: tuple[tuple[str, str], ...] = ()
    copy: str = "add {entry} to .dockerignore, so that layer {layer} does not copy it"
    base: str | None = None
    mount: str | None = None


@frozen
class _Files:
    """The single files of a trace, by its number."""

    number: int
    endings: tuple[bytes, ...]
    names: str | None
    within: str | None
    deep: bool


class Place:
    """What is known of a folder.

    number  the trace that has all files in it
    held    the traces that may name single ones because of where it is, by their place in `Lookup.files`
    ends    the last two bytes of the files that a trace before `number` may name, and which of them do
    below   what is known of a folder in it whose name tells nothing
    """

    __slots__ = ("below", "ends", "held", "number")

    def __init__(self, number: int, held: tuple[int, ...], files: Sequence[_Files]) -> None:
        self.number = number
        self.held = held
        self.below = self
        self.ends: dict[bytes, list[int]] = {}
        for which, one in enumerate(files):
            if one.number < number and (one.within is None or which in held):
                for end in {ending[-2:] for ending in one.endings}:
                    self.ends.setdefault(end, []).append(which)


class Lookup:
    """Numbers of traces by path; the first of the table that fits wins.

    none   the number that says that no trace fits
    plain  what is known of a folder of which nothing is
    tails  how the files end that may be meant there
    known  what is known of a folder
    files  the traces of single files
    """

    def __init__(self, traces: Sequence[Trace | None]) -> None:
        """Take the table; a None in it keeps its number for something else."""
        self.none = len(traces)
        self._traces = traces
        self._exact: dict[bytes, int] = {}
        self._named: dict[bytes, list[tuple[bytes, int]]] = {}
        self._within: dict[bytes, list[int]] = {}
        self._places: dict[tuple[int, tuple[int, ...]], Place] = {}
        self.files: list[_Files] = []
        for number, trace in enumerate(traces):
            if trace is None:
                continue
            for folder in trace.folders:
                if folder.startswith(ANYWHERE):
                    tail = b"/" + folder.removeprefix(ANYWHERE).encode()
                    self._named.setdefault(tail.rpartition(b"/")[2], []).append((tail, number))
                else:
                    self._exact.setdefault(folder.encode(), number)
            if trace.endings:
                for name in trace.named:
                    self._within.setdefault(name.encode(), []).append(len(self.files))
                endings = tuple(end.encode() for end in trace.endings)
                self.files.append(_Files(number, endings, trace.files, trace.within, trace.deep))
        self._telling = self._named.keys() | self._within.keys() | {folder.rpartition(b"/")[2] for folder in self._exact}
        self.plain = self._place(self.none, ())
        self.tails = tuple(end for one in self.files if one.within is None for end in one.endings)
        self.known: dict[bytes, Place] = {b"": self.plain}

    def of(self, scene: Scene, path: bytes, folder: bytes) -> int:
        """Return the number of the first trace that fits a file, `none` if none does."""
        place = self.at(folder)
        for which in place.ends.get(path[-2:], ()):
            one = self.files[which]
            if not path.endswith(one.endings):
                continue
            name = path[len(folder) + 1 :] if folder else path
            if (one.names is None or matches(one.names, name)) and self._passes(one.number, scene, path):
                return one.number
        return place.number if place.number == self.none or self._passes(place.number, scene, path) else self.none

    def at(self, folder: bytes) -> Place:
        """Return what is known of a folder. The one around it is remembered as well: others may be in there."""
        place = self.known.get(folder)
        if place is None:
            around, _, name = folder.rpartition(b"/")
            above = self.known.get(around)
            if above is None:
                above = self.known[around] = self._walk(around)
            place = self.known[folder] = self._enter(above, folder) if name in self._telling else above.below
        return place

    def _walk(self, folder: bytes) -> Place:
        """Return what is known of a folder, by all those above it up to one of which it is known."""
        if folder.count(b"/") >= DEPTH:
            folder = b"/".join(folder.split(b"/", DEPTH)[:DEPTH])
        way = []
        while (place := self.known.get(folder)) is None:
            way.append(folder)
            folder = folder.rpartition(b"/")[0]
        for inner in reversed(way):
            place = self._enter(place, inner)
        return place

    def _enter(self, above: Place, folder: bytes) -> Place:
        """Return what is known of a folder in another one."""
        if folder.count(b"/") >= DEPTH:
            return above.below
        name = folder.rpartition(b"/")[2]
        number = min(above.number, self._exact.get(folder, self.none))
        for tail, other in self._named.get(name, ()):
            if other < number and (b"/" + folder).endswith(tail):
                number = other
        news = [which for which in self._within.get(name, ()) if matches(self.files[which].within or "", folder + b"/")]
        return self._place(number, tuple(sorted({*above.below.held, *news})))

    def _place(self, number: int, held: tuple[int, ...]) -> Place:
        """Return the place of a trace, where some may name single files: the same for all folders of which no more is known."""
        place = self._places.get((number, held))
        if place is None:
            place = self._places[number, held] = Place(number, held, self.files)
            deep = tuple(which for which in held if self.files[which].deep)
            if deep != held:
                place.below = self._place(number, deep)
        return place

    def _passes(self, number: int, scene: Scene, path: bytes) -> bool:
        """Whether nothing speaks for a file to stay."""
        trace = self._traces[number]
        if trace is None:
            return True
        if trace.spare is not None and matches(trace.spare, path):
            return False
        return trace.check is None or trace.check(scene, path)


def matches(pattern: str, text: bytes) -> bool:
    """Whether a regular expression fits the whole of a text."""
    return _compiled(pattern).fullmatch(text) is not None


@cache
def _compiled(pattern: str) -> re.Pattern[bytes]:
    return re.compile(pattern.encode(), re.DOTALL)
