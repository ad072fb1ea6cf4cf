"""How are layers put on one another? As overlayfs does it, with the image specification's whiteouts."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Sequence
from itertools import compress

from layerscope.compiled import find
from layerscope.model import LayerIndex, Level, Note, pick
from layerscope.rootfs.paths import Numbers, View, parent_of
from layerscope.rootfs.stack import (
    AUFS,
    DELETED,
    DIRECTORY,
    FILE,
    HARDLINK,
    LIVE,
    MARKS,
    OPAQUE,
    OTHER,
    REPLACED,
    SYMLINK,
    WHITEOUT,
    Stack,
)

_NOTHING = (*MARKS, OTHER)
OVERLAY_OPAQUE = (b"trusted.overlay.opaque", b"y")
# Linux follows no more symlinks in one path, and no longer ones.
LINKS_FOLLOWED = 40
PATH_MAX = 4096
# Bytes of link targets to walk in one image, and of names of folders that no entry lists (each holds its parents' names).
STEPS = 1 << 26
IMPLIED_BYTES = 1 << 27
NOTES_PER_ID = 20
AT_ONCE = 32  # rows that the loop takes before it asks the compiled way again
_compiled = find("stacking")
quickly: Callable[..., int] | None = None if _compiled is None else _compiled.put
"""Puts rows while all is plain, and returns the first that is not; see stacking.c."""


def stack(indexes: Sequence[LayerIndex | None]) -> Stack:
    """Stack the layers, base first; a layer that is not there (None) has no rows.

    Linear in rows: each is put once and taken away at most once. Marks of a layer speak of the layers below it, so they are
    obeyed before its entries are put, wherever they stand in the tar (image-spec, layer.md, "Whiteouts").
    """
    stacker = Stacker(indexes)
    for position, index in enumerate(indexes):
        if index is not None:
            stacker.add(position, index)
    return stacker.finish()


class Stacker:
    """The state while layers are put on one another.

    named     the number of each path
    numbers   of each row, as the layer has its path; `moved` has those of rows that are put elsewhere
    tops      for each number the row that is seen there, -1 for none
    children  for each folder that is there the paths put into it; one that is gone again may still be listed
    """

    def __init__(self, indexes: Sequence[LayerIndex | None]) -> None:
        self.starts = [0]
        self.sizes = array("q")
        self.kinds = bytearray()
        self.named = Numbers(indexes)
        self.numbers = self.named.of_rows
        self.moved: dict[int, int] = {}
        for index in indexes:
            if index is not None:
                self.sizes.extend(index.sizes)
                self.kinds.extend(index.kinds)
            self.starts.append(len(self.kinds))
        self.fates = bytearray(len(self.kinds))
        self.ended = array("i", [-1]) * len(self.kinds)
        self.tops, self.successors, self.ousted = self.ended[:], self.ended[:], self.ended[:]
        self.children: dict[bytes, list[bytes]] = {b"": []}
        self.inodes: dict[int, int] = {}
        self.links: dict[int, list[int]] = {}
        self.buried: list[dict[bytes, int]] = [{} for _ in indexes]
        self.notes: list[Note] = []
        self._counts: dict[str, int] = {}
        self.steps = 0
        self.implied = 0
        # Of the layer at hand:
        self.position = 0
        self.start = 0
        self.targets: dict[int, bytes] = {}
        self.gone: list[int] = []
        self.unlinked: list[int] = []

    def add(self, position: int, index: LayerIndex) -> None:
        """Put a layer on those that are there."""
        self.position, self.start, self.targets = position, self.starts[position], index.links
        self.gone, self.unlinked = [], []
        if position:
            self._obey(index)
        else:
            self._tell_idle(index)
        self._put(index)
        self._settle()

    def _obey(self, index: LayerIndex) -> None:
        """Take away what the layer's marks speak of."""
        kinds, buried = index.kinds, self.buried[self.position]
        if self._has_marks(index):
            for row, kind in enumerate(kinds):
                path = index.paths[row]
                if kind == OPAQUE:
                    self._bury_below(path)
                elif kind == WHITEOUT:
                    before, is_folder = len(self.gone), path in self.children
                    if is_folder or self._at(path) is not None:
                        self._bury(path)
                        buried[path] = sum(map(self.sizes.__getitem__, self.gone[before:])) if is_folder else 0
                    elif path not in buried:
                        self._note("C03", Level.INFO, "a whiteout of what is not there", path)
        for row, attributes in index.xattrs.items():
            if kinds[row] == DIRECTORY and OVERLAY_OPAQUE in attributes:
                self._bury_below(index.paths[row])

    def _tell_idle(self, index: LayerIndex) -> None:
        marks = [row for row, kind in enumerate(index.kinds) if kind in MARKS] if self._has_marks(index) else []
        if marks:
            message = f"{len(marks):,} whiteouts in the lowest layer, which have nothing to hide"
            self._note("C08", Level.INFO, message, index.paths[marks[0]])

    @staticmethod
    def _has_marks(index: LayerIndex) -> bool:
        return WHITEOUT in index.kinds or OPAQUE in index.kinds

    def _at(self, path: bytes) -> int | None:
        """Return the row that is seen at a path, None if there is none."""
        number = self.named.get(path)
        return None if number < 0 or self.tops[number] < 0 else self.tops[number]

    def _take(self, path: bytes) -> None:
        """Take away the row that is seen at a path."""
        number = self.named.get(path)
        if number >= 0 and self.tops[number] >= 0:
            self.gone.append(self.tops[number])
            self.tops[number] = -1

    def _bury(self, path: bytes) -> None:
        """Take away a path and all that is below it."""
        self._take(path)
        if path in self.children:
            self._bury_below(path)
            if path:
                del self.children[path]

    def _bury_below(self, path: bytes) -> None:
        """Take away all that is below a folder, but not the folder."""
        waiting = self.children.get(path)
        if waiting:
            self.children[path] = []
            self.named.bury(self.tops, self.children, waiting, self.gone)

    def _put(self, index: LayerIndex) -> None:
        """Put the layer's entries, in tar order."""
        at, beyond = 0, len(index)
        while at < beyond:
            stop = beyond
            if quickly is not None:
                at = quickly(
                    *(index.paths, index.folders, at, self.start, self.position, self.implied, self.children),
                    *(self.kinds, self.fates, self.numbers, self.ended, self.successors, self.ousted, self.tops),
                )
                stop = min(at + AT_ONCE, beyond)
            self._put_rows(index, at, stop)
            at = stop

    def _put_rows(self, index: LayerIndex, at: int, stop: int) -> None:
        """Put some of the layer's entries. A folder is looked up once for a run of them."""
        tops, children, gone, kinds, start = self.tops, self.children, self.gone, self.kinds, self.start
        fates, ended, position, successors, ousted = self.fates, self.ended, self.position, self.successors, self.ousted
        here: bytes | None = None
        inside, plain = children[b""], False
        numbers = self.numbers[start + at : start + stop]
        columns = zip(index.paths[at:stop], index.kinds[at:stop], index.folders[at:stop], numbers, strict=True)
        for row, (path, kind, parent, number) in enumerate(columns, start + at):
            if parent is not here or kind == OPAQUE:
                if kind == OTHER:
                    continue
                here = parent = path if kind == OPAQUE else parent
                if parent in children:
                    inside, plain = children[parent], bool(parent) and not parent.startswith(AUFS)
                else:
                    folder, here, plain = self._make_folder(parent), None, False
                    if folder is None:
                        continue
                    inside = children[folder]
                    if folder != parent and kind != OPAQUE:
                        path = (folder + path[len(parent) :]).lstrip(b"/")
                        number = self.moved[row] = self._number(path)
            if kind:  # anything but a regular file
                if kind == DIRECTORY:
                    self._put_folder(row, path, number, inside)
                    continue
                if kind in _NOTHING:
                    continue
            old = tops[number]
            if old < 0:
                if (self.implied or not path) and path in children:
                    self._bury(path)
                    here = None
                else:
                    inside.append(path)
            else:
                if kinds[old] == DIRECTORY or not path:
                    self._bury(path)
                    here = None
                elif old < start:
                    fates[old], ended[old], successors[old], ousted[row] = REPLACED, position, row, old
                else:
                    gone.append(old)
                if old >= start:
                    self._tell_twice(path)
            tops[number] = row
            if kind == HARDLINK and not self._link(row, path):
                self.unlinked.append(row)
            if not plain and path.startswith(AUFS):  # no container sees it, but hard links may lead to it (C10)
                gone.append(row)

    def _number(self, path: bytes) -> int:
        """Return the number of a path that a layer may not have."""
        number = self.named.add(path)
        if number == len(self.tops):
            self.tops.append(-1)
        return number

    def _put_folder(self, row: int, path: bytes, number: int, inside: list[bytes]) -> None:
        """Put a folder's entry among what is inside of the folder around it."""
        old = self.tops[number]
        if path in self.children:
            if old >= 0:  # listed again: the later row's attributes hold
                self.fates[old], self.ended[old] = REPLACED, self.position
        else:
            if old < 0:
                inside.append(path)
            else:
                self._give_way(old, path)
            self.children[path] = []
        self.tops[number] = row

    def _give_way(self, row: int, path: bytes) -> None:
        """Take away what stands where a folder is put."""
        self.gone.append(row)
        if row >= self.start:
            self._tell_twice(path)
        if self.kinds[row] == SYMLINK and row < self.start:
            self._note("C12", Level.WARNING, "a folder replaces a symlink; what the link leads to is not merged into it", path)

    def _tell_twice(self, path: bytes) -> None:
        self._note("C18", Level.WARNING, "listed twice in one layer: the last entry holds", path)

    def _make_folder(self, path: bytes) -> bytes | None:
        """Make a path a folder, with implied parents (C11, C17), and return where it is; None if it is too deep (E18).

        A symlink of the same layer in its way is followed, as unpacking does (C13); one of a lower layer gives way (C12).
        """
        children = self.children
        if self.implied > IMPLIED_BYTES:
            return None
        at, todo, hops = b"", path.split(b"/")[::-1], 0
        while todo:
            part = todo.pop()
            if part == b"..":
                at = parent_of(at)
                continue
            if part in (b"", b"."):
                continue
            inner = at + b"/" + part if at else part
            if inner not in children:
                row = self._at(inner)
                link = None if row is None else self._symlink(row)
                if link is not None and hops < LINKS_FOLLOWED:
                    hops += 1
                    self.steps += len(link)
                    at = b"" if link[:1] == b"/" else at
                    todo += reversed(link.split(b"/"))
                    continue
                if link is not None:
                    self._note("E17", Level.WARNING, "symlinks of one layer that lead in a circle", path)
                self.implied += len(inner)
                if self.implied > IMPLIED_BYTES:
                    self._note("E18", Level.ERROR, "folders nested so deeply that they are not stacked", path[:255])
                    return None
                if row is None:
                    children[at].append(inner)
                else:
                    self._give_way(row, inner)
                    self.tops[self.named.get(inner)] = -1
                children[inner] = []
            at = inner
        return at

    def _symlink(self, row: int) -> bytes | None:
        """Return where a symlink that the layer at hand put leads; None for anything else, or where no runtime could follow."""
        if row < self.start or self.kinds[row] != SYMLINK or self.steps > STEPS:
            return None
        link = self.targets.get(row - self.start, b"")
        return link if len(link) < PATH_MAX else None

    def _find(self, path: bytes) -> int | None:
        """Return the row at a hard link's target, -1 for a folder: by its letters, else through symlinks of the layer."""
        if path in self.children:
            return -1
        found = self._at(path)
        if found is not None:
            return found
        at, todo, hops = b"", path.split(b"/")[::-1], 0
        while todo:
            part = todo.pop()
            if part == b"..":
                at = parent_of(at)
            elif part not in (b"", b"."):
                inner = at + b"/" + part if at else part
                row = self._at(inner)
                link = None if row is None or not todo or inner in self.children else self._symlink(row)
                if link is not None and hops < LINKS_FOLLOWED:
                    hops += 1
                    self.steps += len(link)
                    at = b"" if link[:1] == b"/" else at
                    todo += reversed(link.split(b"/"))
                elif todo and inner not in self.children:
                    return None
                else:
                    at = inner
        return -1 if at in self.children else self._at(at)

    def _link(self, row: int, path: bytes) -> bool:
        """Join a hard link to its inode; False if its target is not there (yet)."""
        target = self.targets.get(row - self.start, b"")
        return target != path and self._join(row, self._find(target), path)

    def _join(self, row: int, found: int | None, path: bytes) -> bool:
        """Let a hard link lead where another row does; False if that row leads nowhere yet."""
        if found is None or found == row:
            return False
        if found < 0:
            self._note("C31", Level.WARNING, "a hard link to a folder", path)
        inode = self.inodes.get(found, found)
        if inode >= 0 and self.kinds[inode] in (HARDLINK, DIRECTORY):
            return False
        self.inodes[row] = inode
        if inode >= 0:
            self.links.setdefault(inode, []).append(row)
            if inode < self.start:
                self._note("C29", Level.INFO, "a hard link to a file of a lower layer; some runtimes cannot unpack it", path)
        return True

    def _settle(self) -> None:
        """Decide what became of the rows that the layer took away, now that all of its own are there."""
        tops, kinds, fates, ended, start, position = self.tops, self.kinds, self.fates, self.ended, self.start, self.position
        if self.unlinked or any(map(start.__le__, self.gone)):
            self._reopen()
        if self.unlinked:
            self._link_late()
        numbers = pick(self.numbers, self.gone)
        if self.moved:
            numbers = [self.moved.get(row, number) for row, number in zip(self.gone, numbers, strict=True)]
        for row in self.gone:
            fates[row], ended[row] = DELETED, position
        taken = bytes(map((-1).__lt__, pick(tops, numbers)))
        for row, number in compress(zip(self.gone, numbers, strict=True), taken):
            successor = tops[number]
            if successor == row:  # AUFS metadata
                tops[number] = -1
            elif successor >= start and kinds[successor] != DIRECTORY:
                fates[row] = REPLACED
                self.successors[row], self.ousted[successor] = successor, row

    def _reopen(self) -> None:
        """Leave open again what became of the rows that the layer's own replaced: these may be gone as well."""
        took = self.ousted[self.start : self.starts[self.position + 1]]
        rows = [row for row in took if row >= 0]
        for row in rows:
            self.ousted[self.successors[row]] = self.successors[row] = -1
        self.gone[:0] = rows

    def _link_late(self) -> None:
        """Join hard links whose target stands later in the tar (C28), or was taken away by the same layer."""
        paths = {row: self.targets.get(row - self.start, b"") for row in self.unlinked}
        found = {row: self._find(path) for row, path in paths.items()}
        self._join_chains(found, paths)
        taken = {self.moved.get(row, self.numbers[row]): row for row in self.gone if self.kinds[row] != DIRECTORY}
        for row, path in paths.items():
            if row not in self.inodes and not self._join(row, found[row], path):
                self._join(row, taken.get(self.named.get(path)), path)
        self._join_chains(found, paths)
        for row, path in paths.items():
            if row not in self.inodes:
                self.inodes[row] = -1
                self._note("C31", Level.WARNING, "a hard link to what is not there", path)

    def _join_chains(self, found: dict[int, int | None], paths: dict[int, bytes]) -> None:
        """Join the hard links of chains that lead to something; those of a circle stay as they are."""
        hopeless: set[int] = set()
        for row in found:
            chain: dict[int, None] = {}
            at: int | None = row
            while at in found and at not in self.inodes and at not in chain and at not in hopeless:
                chain[at] = None
                at = found[at]
            before = at
            for link in reversed(chain):
                if not self._join(link, before, paths[link]):
                    hopeless.update(chain)
                    break
                self._note(
                    "C28", Level.WARNING, "a hard link that stands before its target; runtimes cannot unpack it", paths[link]
                )
                before = link

    def finish(self) -> Stack:
        """Return the result. An inode with several names lives while one does; its fate is that of the last to go."""
        fates, ended = self.fates, self.ended
        own: dict[int, tuple[int, int]] = {}
        for inode, links in self.links.items():
            if self.kinds[inode] != FILE:
                continue
            own[inode] = (fates[inode], ended[inode])
            names = (inode, *links)
            if any(fates[name] == LIVE for name in names):
                fates[inode], ended[inode] = LIVE, -1
            else:
                last = max(ended[name] for name in names)
                replaced = any(fates[name] == REPLACED for name in names if ended[name] == last)
                fates[inode], ended[inode] = (REPLACED if replaced else DELETED), last
        return Stack(
            starts=tuple(self.starts),
            fates=fates,
            ended=ended,
            inodes=self.inodes,
            names=own,
            visible=View(self.named, self.tops),
            numbers=self.numbers,
            successors=self.successors,
            ousted=self.ousted,
            buried=tuple(self.buried),
            notes=tuple(self.notes),
        )

    def _note(self, id: str, level: Level, message: str, path: bytes) -> None:  # noqa: A002
        count = self._counts[id] = self._counts.get(id, 0) + 1
        if count <= NOTES_PER_ID:
            self.notes.append(Note(id, level, message, self.position, path))
