"""How is it known by its path that a file need not be there, and how is it kept out?

A `Trace` is a declaration: folders and names, and what to do about them. `Lookup` answers for each path of an image which
trace is the first to fit.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
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
    files     regular expression of single files, whole paths
    endings   how such files end, for speed
    spare     regular expression of paths that stay
    check     a last question about a path
    run       the fix where a command made them: {layer} is its position, {top} the folder of the largest
    copy      the fix where a COPY or ADD brought them
    base      the fix where the base image brings them, if there is one
    """

    title: str
    folders: tuple[str, ...] = ()
    files: str | None = None
    endings: tuple[str, ...] = ()
    spare: str | None = None
    check: Check | None = None
    run: str = ""
    copy: str = "add {entry} to .dockerignore, so that layer {layer} does not copy it"
    base: str | None = None


class Lookup:
    """Numbers of traces by path; the first of the table that fits wins.

    none   the number that says that no trace fits
    known  what is known of a folder: the number for all files in it, but for those that a trace names one by one
    ends   last two bytes of all such files
    """

    def __init__(self, traces: Sequence[Trace | None]) -> None:
        """Take the table; a None in it keeps its number for something else."""
        self.none = len(traces)
        self._traces = traces
        self._exact: dict[bytes, int] = {}
        self._named: dict[bytes, list[tuple[bytes, int]]] = {}
        self._files: list[tuple[int, re.Pattern[bytes], tuple[bytes, ...]]] = []
        self.known: dict[bytes, int] = {b"": self.none}
        ends: set[bytes] = set()
        for number, trace in enumerate(traces):
            if trace is None:
                continue
            for folder in trace.folders:
                if folder.startswith(ANYWHERE):
                    tail = b"/" + folder.removeprefix(ANYWHERE).encode()
                    self._named.setdefault(tail.rpartition(b"/")[2], []).append((tail, number))
                else:
                    self._exact.setdefault(folder.encode(), number)
            if trace.files is not None:
                endings = tuple(ending.encode() for ending in trace.endings)
                self._files.append((number, re.compile(trace.files.encode(), re.DOTALL), endings))
                for ending in endings:
                    ends.update([ending[-2:]] if len(ending) > 1 else (bytes([first]) + ending for first in range(256)))
        self.ends = frozenset(ends)
        self._spare = [re.compile(trace.spare.encode()) if trace and trace.spare else None for trace in traces]

    def of(self, scene: Scene, path: bytes, folder: bytes) -> int:
        """Return the number of the first trace that fits a file, `none` if none does."""
        number = self.known.get(folder)
        if number is None:
            number = self._folder(folder)
        if path[-2:] in self.ends:
            for other, pattern, endings in self._files:
                if other >= number:
                    break
                if path.endswith(endings) and pattern.fullmatch(path) and self._passes(other, scene, path):
                    return other
        return number if number == self.none or self._passes(number, scene, path) else self.none

    def _passes(self, number: int, scene: Scene, path: bytes) -> bool:
        """Whether nothing speaks for a file to stay."""
        spare, trace = self._spare[number], self._traces[number]
        if spare is not None and spare.fullmatch(path):
            return False
        return trace is None or trace.check is None or trace.check(scene, path)

    def _folder(self, folder: bytes) -> int:
        """Return the first trace that has a folder, or one above it."""
        number, place = self.none, b"/".join(folder.split(b"/", DEPTH)[:DEPTH])
        while (known := self.known.get(place)) is None:
            above, _, name = place.rpartition(b"/")
            number = min(number, self._exact.get(place, self.none))
            for tail, other in self._named.get(name, ()):
                if other < number and (b"/" + place).endswith(tail):
                    number = other
            place = above
        self.known[folder] = number = min(number, known)
        return number
