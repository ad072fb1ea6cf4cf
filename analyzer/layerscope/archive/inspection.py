"""What do contents tell that somebody asked for? Shows files to inspectors while their bytes pass, or where they lie.

A set of `Inspectors` is declared by those who read the findings. Of what lies in a file only the parts are read that an
inspector asks for, and none of a file that nobody wants; what passes once is held as long as somebody wants it.
"""

from __future__ import annotations

import hashlib
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Iterator
from itertools import accumulate
from typing import Protocol

from layerscope.archive.equal import Place
from layerscope.archive.feed import Buffer
from layerscope.archive.glance import ANY, glance_of, union
from layerscope.archive.limits import Limits
from layerscope.archive.notebook import Notebook
from layerscope.archive.tar.sparse import expand
from layerscope.frozen import frozen
from layerscope.model import SUMS, LayerIndex

HEAD = 8192
HELD = 8 << 20
"""Bytes of a file that are held so that they are read once; also the longest sparse file that is looked into, holes and all."""

CHUNK = 1 << 20


class Content(Protocol):
    """Bytes, or what slices like them: a file may lie in another of which only parts are read."""

    def __len__(self) -> int:
        """Return how many there are."""

    def __getitem__(self, part: slice, /) -> bytes:
        """Return some of them; both ends are given, and neither counts from the end."""


Wants = Callable[[bytes, int, int], bool]
Opens = Callable[[bytes], bool]


@frozen
class Inspector:
    """Somebody who looks into files: into which, and what for.

    name     what the findings are kept under
    version  changes whenever the same content may give another finding
    wants    whether a file may be of interest, by path, mode and size
    opens    whether it still is, by its first bytes (8 KiB)
    find     what path and content tell, None for nothing: a pure function; what it returns is small, whatever the file is
    first    bytes from a file's beginning that are enough: it is given no more. None: it wants the whole file, and gets it
             unless the file passes once and is longer than the limit `kept_file_bytes`
    named    whether the name of a file, by itself, may make it find something else; None: no name does
    """

    name: str
    version: str
    wants: Wants
    opens: Opens
    find: Callable[[bytes, Content], bytes | None]
    first: int | None = None
    named: Callable[[bytes], bool] | None = None


Wanting = list[tuple[Opens, list[Inspector]]]


class Inspectors:
    """Those who look into the files of a layer; `sums` tells by its path of which file the digests are wanted as well.

    `names` are the inspectors', `fingerprint` is the same for sets that find the same in the same bytes, `glance` is true of
    each file that one of them wants.
    """

    def __init__(self, each: Iterable[Inspector] = (), *, sums: Callable[[bytes], bool] | None = None) -> None:
        self.sums = sums
        self.groups: dict[tuple[Wants, Opens], list[Inspector]] = {}
        for one in each:
            self.groups.setdefault((one.wants, one.opens), []).append(one)
        everybody = sorted((one.name, one.version, one.first) for group in self.groups.values() for one in group)
        self.glance = union([glance_of(one) for one in {key[0]: None for key in self.groups}]) if sums is None else ANY
        self.names = frozenset(name for name, _, _ in everybody) | ({"sums"} if sums is not None else set())
        self.fingerprint = hashlib.sha256(repr((everybody, SUMS if sums is not None else ())).encode()).hexdigest()

    def unsummed(self) -> Inspectors:
        """Return the same who look, without the digests of files."""
        return self if self.sums is None else Inspectors(one for group in self.groups.values() for one in group)

    def __bool__(self) -> bool:
        return bool(self.groups) or self.sums is not None

    def wanting(self, path: bytes, mode: int, size: int) -> Wanting:
        """Return those who want to see how a file begins."""
        return [(key[1], group) for key, group in self.groups.items() if key[0](path, mode, size)]

    def by_name(self, path: bytes) -> bool:
        """Whether somebody wants a file for its name, whatever else it is."""
        if any(wants(path, 0, 0) for wants, _ in self.groups):
            return True
        return any(one.named is not None and one.named(path) for group in self.groups.values() for one in group)

    def wanting_as(self, name: bytes, other: bytes, mode: int, size: int, told: frozenset[str] | None) -> Wanting:
        """Return those who may find something by a name that they did not by the `other`, under which they saw a file.

        `told` are those who found something then, if the other is no longer its name, else None.
        """
        wanting = []
        for (wants, opens), group in self.groups.items():
            if not wants(name, mode, size):
                continue
            asked = group
            if wants(other, mode, size):
                asked = [
                    one
                    for one in group
                    if one.named is not None
                    and (one.named(name) and not one.named(other) if told is None else one.named(name) or one.name in told)
                ]
            if asked:
                wanting.append((opens, asked))
        return wanting


NOBODY = Inspectors()


class Window:
    """A file in a layer that lies in place. What was read from its beginning is held, so that others need not read it again."""

    __slots__ = ("_held", "_place", "_row", "_size")

    def __init__(self, place: Place, row: int, size: int) -> None:
        self._place, self._row, self._size = place, row, size
        self._held = b""

    def __len__(self) -> int:
        return self._size

    def __getitem__(self, part: slice, /) -> bytes:
        start, stop, _ = part.indices(self._size)
        if stop <= len(self._held):
            return self._held[start:stop]
        if start == 0 and stop <= HELD:
            self._held = self._place.content(self._row, 0, stop)
            return self._held
        return self._place.content(self._row, start, max(stop - start, 0))


class Held:
    """A file that passed, sliced where its pieces lie: put together it would be in memory twice."""

    __slots__ = ("_ends", "_pieces")

    def __init__(self, pieces: list[bytes]) -> None:
        self._pieces = pieces
        self._ends = list(accumulate(map(len, pieces)))

    def __len__(self) -> int:
        return self._ends[-1]

    def __getitem__(self, part: slice, /) -> bytes:
        start, stop, _ = part.indices(self._ends[-1])
        if start >= stop:
            return b""
        first, last = bisect_right(self._ends, start), bisect_left(self._ends, stop)
        pieces = self._pieces[first : last + 1]
        pieces[-1] = pieces[-1][: stop - (self._ends[last - 1] if last else 0)]
        pieces[0] = pieces[0][start - (self._ends[first - 1] if first else 0) :]
        return b"".join(pieces)


class Inspection:
    """What inspectors find in the files of one layer; it is added to the layer's index."""

    def __init__(self, inspectors: Inspectors, index: LayerIndex, notes: Notebook, limits: Limits) -> None:
        self.inspectors = inspectors
        self.index = index
        self.notes = notes
        self.limits = limits

    def show(self, row: int, path: bytes, mode: int, content: Content, start: int) -> None:
        """Show a file that passes, and all of whose bytes are at hand; `start` is where its entry begins."""
        self.show_to(self.inspectors.wanting(path, mode, len(content)), row, path, content, start, passes=True)

    def show_to(self, wanting: Wanting, row: int, path: bytes, content: Content, start: int, *, passes: bool = False) -> None:
        """Show a file to those who want it, and take its digests; of one that `passes` no more than if it came in pieces."""
        size = len(content)
        if self.inspectors.sums is not None and self.inspectors.sums(path):
            self.index.sums[row] = sum_up(content)
        if wanting:
            head = content[0 : min(size, HEAD)]
            asked = [one for opens, group in wanting if opens(head) for one in group]
            given = content[0 : self.needed(asked, size)] if passes and size > self.limits.kept_file_bytes else content
            self.ask(row, path, asked, given, size, start)

    def needed(self, asked: Iterable[Inspector], size: int) -> int:
        """Return how many bytes of a file that passes are held for some inspectors."""
        needs = ((size if one.first is None else min(one.first, size), one.first) for one in asked)
        return max((need for need, first in needs if first or need <= self.limits.kept_file_bytes), default=0)

    def ask(self, row: int, path: bytes, asked: Iterable[Inspector], content: Content, size: int, start: int) -> None:
        """Let inspectors look; `content` may be less than the `size` of the file."""
        found, refused = [], []
        for one in asked:
            given = content
            if one.first is not None and size > one.first:
                given = content[0 : one.first]
                message = f"of {size:,} bytes only the first {one.first:,} were looked into for {one.name}"
                self.notes.info("E08", message, path=path, offset=start)
            elif len(content) < size:
                refused.append(one.name)
                continue
            told = one.find(path, given)
            if told is not None:
                found.append((one.name, told))
        if found:
            self.index.inspected[row] = tuple(found)
        if refused:
            message = f"{size:,} bytes are too many to be looked into for {', '.join(refused)} (--limit kept_file_bytes=VALUE)"
            self.notes.info("E08", message, path=path, offset=start)

    def passing(self, row: int, path: bytes, mode: int, size: int, start: int) -> Passing | None:
        """Return what takes the pieces of a file as they pass, None if nobody wants them."""
        wanting = self.inspectors.wanting(path, mode, size)
        sums = self.inspectors.sums is not None and self.inspectors.sums(path)
        return Passing(self, row, path, wanting, size, start, sums=sums) if wanting or sums else None


class Passing:
    """A file whose bytes pass in pieces: they are held as far as somebody who looks at its first bytes wants them."""

    def __init__(
        self,
        inspection: Inspection,
        row: int,
        path: bytes,
        wanting: Wanting,
        size: int,
        start: int,
        *,
        sums: bool,
    ) -> None:
        self.inspection = inspection
        self.row = row
        self.path = path
        self.size = size
        self.start = start
        self._wanting = wanting
        self._asked: list[Inspector] | None = None if wanting else []
        self._need = min(HEAD, size) if wanting else 0
        self._pieces: list[bytes] = []
        self._held = 0
        self._hashers = start_sums() if sums else ()

    def take(self, piece: bytes) -> None:
        """Take the next piece."""
        for hasher in self._hashers:
            hasher.update(piece)
        if self._held < self._need:
            self._pieces.append(piece)
            self._held += len(piece)
            if self._asked is None and self._held >= self._need:
                self._choose()

    def _choose(self) -> None:
        """Let those go who see from the beginning that the rest is nothing for them."""
        head = b"".join(self._pieces)[:HEAD]
        self._asked = [one for opens, group in self._wanting if opens(head) for one in group]
        self._need = self.inspection.needed(self._asked, self.size)
        if not self._need:
            self._pieces = []

    def watch(self, pieces: Iterable[bytes]) -> Iterator[bytes]:
        """Yield pieces that somebody else wants, and take each."""
        for piece in pieces:
            self.take(piece)
            yield piece

    def close(self) -> None:
        """Let the inspectors look; all pieces have passed."""
        if self._hashers:
            self.inspection.index.sums[self.row] = b"".join(hasher.digest() for hasher in self._hashers)
        if self._asked:
            held = Held(self._pieces) if len(self._pieces) > 1 else b"".join(self._pieces)
            self.inspection.ask(self.row, self.path, self._asked, held, self.size, self.start)


def inspect_place(
    buffer: Buffer, start: int, index: LayerIndex, rows: Iterable[int], inspectors: Inspectors, limits: Limits
) -> Notebook:
    """Inspect `rows`, files of a layer that begins at `start` of a buffer; return what is to be told of it."""
    notes = Notebook()
    if not inspectors:
        return notes
    inspection, place = Inspection(inspectors, index, notes, limits), Place(index, buffer, start)
    groups, sums = [(*key, group) for key, group in inspectors.groups.items()], inspectors.sums
    for row in rows:
        path, mode, size = index.paths[row], index.modes[row], index.sizes[row]
        wanting = [(opens, group) for wants, opens, group in groups if wants(path, mode, size)]
        if not wanting and (sums is None or not sums(path)):
            continue
        fragments = index.sparse.get(row)
        if fragments is None:
            inspection.show_to(wanting, row, path, Window(place, row, size), index.offsets[row])
        elif size <= HELD:
            stored = place.content(row, 0, sum(length for _, length in fragments))
            inspection.show_to(wanting, row, path, expand(fragments, size, stored), index.offsets[row])
    return notes


def start_sums() -> tuple[hashlib._Hash, ...]:
    """Return what takes the digests that `SUMS` names."""
    return tuple(hashlib.new(name, usedforsecurity=False) for name in SUMS)


def sum_up(content: Content) -> bytes:
    """Return the digests of a content, as `SUMS` names them, one behind the other."""
    hashers = start_sums()
    for at in range(0, len(content), CHUNK):
        piece = content[at : min(at + CHUNK, len(content))]
        for hasher in hashers:
            hasher.update(piece)
    return b"".join(hasher.digest() for hasher in hashers)
