"""How is it known by its path that a file need not be there, and how is it kept out?

A `Trace` is a declaration: folders and names, and what to do about them. `Lookup` answers for each path of an image which
trace is the first to fit.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
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
    spare     regular expression of paths that stay
    check     a last question about a path
    run       the fix where a command made them: {layer} is its position, {top} the folder of the largest
    copy      the fix where a COPY or ADD brought them
    base      the fix where the base image brings them, if there is one
    """

    title: str
    folders: tuple[str, ...] = ()
    endings: tuple[str, ...] = ()
    files: str | None = None
    within: str | None = None
    spare: str | None = None
    check: Check | None = None
    run: str = ""
    copy: str = "add {entry} to .dockerignore, so that layer {layer} does not copy it"
    base: str | None = None


@frozen
class _Files:
    """The single files of a trace, by its number; `within` is None where that is known to hold."""

    number: int
    endings: tuple[bytes, ...]
    names: str | None
    within: str | None


class Place:
    """What is known of a folder.

    number   the trace that has all files in it
    files    the traces before it that may name one by one, by their place in `Lookup.files`
    ends     the last two bytes of the files that these name, and which of them do
    learned  (one of these, whether its files are meant in there) -> what is known then
    """

    __slots__ = ("ends", "files", "learned", "number")

    def __init__(self, number: int, files: tuple[int, ...], named: Sequence[_Files]) -> None:
        self.number = number
        self.files = files
        self.ends: dict[bytes, list[int]] = {}
        self.learned: dict[tuple[int, bool], Place] = {}
        for which in files:
            for end in {ending[-2:] for ending in named[which].endings}:
                self.ends.setdefault(end, []).append(which)


class Lookup:
    """Numbers of traces by path; the first of the table that fits wins.

    none   the number that says that no trace fits
    known  what is known of a folder
    files  the traces of single files, then the same again, for folders of which `within` is known to hold
    """

    def __init__(self, traces: Sequence[Trace | None]) -> None:
        """Take the table; a None in it keeps its number for something else."""
        self.none = len(traces)
        self._traces = traces
        self._exact: dict[bytes, int] = {}
        self._named: dict[bytes, list[tuple[bytes, int]]] = {}
        self._places: dict[tuple[int, tuple[int, ...] | None], Place] = {}
        files: list[_Files] = []
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
                files.append(_Files(number, tuple(end.encode() for end in trace.endings), trace.files, trace.within))
        self._all = tuple(range(len(files)))
        self.files = [*files, *(replace(one, within=None) for one in files)]
        self.known: dict[bytes, Place] = {b"": self._place(self.none)}

    def of(self, scene: Scene, path: bytes, folder: bytes) -> int:
        """Return the number of the first trace that fits a file, `none` if none does."""
        place = self.known.get(folder) or self.at(folder)
        number = place.number
        for which in place.ends.get(path[-2:], ()):
            one = self.files[which]
            if not path.endswith(one.endings) or (one.within is not None and not self._holds(folder, which)):
                continue
            name = path[len(folder) + 1 :] if folder else path
            if (one.names is None or matches(one.names, name)) and self._passes(one.number, scene, path):
                return one.number
        return number if number == self.none or self._passes(number, scene, path) else self.none

    def at(self, folder: bytes) -> Place:
        """Return what is known of a folder. The one around it is remembered as well: others may be in there."""
        place = self.known.get(folder)
        if place is None:
            around, _, name = folder.rpartition(b"/")
            above = self.known.get(around)
            if above is None:
                above = self.known[around] = self._place(self._folder(around))
            own = folder in self._exact or name in self._named
            place = self.known[folder] = self._place(self._folder(folder) if own else above.number)
        return place

    def _place(self, number: int, files: tuple[int, ...] | None = None) -> Place:
        """Return the place of a trace, where only `files` may name any: the same for all folders of which no more is known."""
        place = self._places.get((number, files))
        if place is None:
            before = tuple(which for which in self._all if self.files[which].number < number) if files is None else files
            place = self._places[number, files] = Place(number, before, self.files)
        return place

    def _holds(self, folder: bytes, which: int) -> bool:
        """Whether a folder is one that single files are meant in; it is remembered."""
        place = self.known[folder]
        holds = matches(self.files[which].within or "", folder + b"/")
        then = place.learned.get((which, holds))
        if then is None:
            at = place.files.index(which)
            files = place.files[:at] + (which + len(self._all),) * holds + place.files[at + 1 :]
            then = place.learned[which, holds] = self._place(place.number, files)
        self.known[folder] = then
        return holds

    def _passes(self, number: int, scene: Scene, path: bytes) -> bool:
        """Whether nothing speaks for a file to stay."""
        trace = self._traces[number]
        if trace is None:
            return True
        if trace.spare is not None and matches(trace.spare, path):
            return False
        return trace.check is None or trace.check(scene, path)

    def _folder(self, folder: bytes) -> int:
        """Return the first trace that has a folder, or one above it."""
        number, place = self.none, folder
        if folder.count(b"/") >= DEPTH:
            place = b"/".join(folder.split(b"/", DEPTH)[:DEPTH])
        while (known := self.known.get(place)) is None:
            above, _, name = place.rpartition(b"/")
            number = min(number, self._exact.get(place, self.none))
            for tail, other in self._named.get(name, ()):
                if other < number and (b"/" + place).endswith(tail):
                    number = other
            place = above
        return min(number, known.number)


def matches(pattern: str, text: bytes) -> bool:
    """Whether a regular expression fits the whole of a text."""
    return _compiled(pattern).fullmatch(text) is not None


@cache
def _compiled(pattern: str) -> re.Pattern[bytes]:
    return re.compile(pattern.encode(), re.DOTALL)
