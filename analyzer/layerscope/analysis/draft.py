"""Which rows are left out of an image, and what is left of its layers?"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import field
from itertools import compress

from layerscope.analysis.books import Books
from layerscope.analysis.carriage import BLOCK, padded, stored
from layerscope.analysis.sheets import Sheet, all_above, keep, read_sheet
from layerscope.frozen import frozen
from layerscope.model import Image, Kind
from layerscope.rootfs.paths import parent_of
from layerscope.rootfs.stack import Stack
from layerscope.rootfs.stacker import stack

_WHITEOUT, _FOLDER = int(Kind.WHITEOUT), int(Kind.DIRECTORY)


@frozen
class Step:
    """Rows of the stack that are to be left out, and how that was asked for; with the folders that it empties, or without.

    parts  row -> bytes that a file loses that stays otherwise
    """

    name: str
    rows: Iterable[int]
    folders: bool = False
    parts: Mapping[int, int] = field(default_factory=dict)


@frozen
class Loss:
    """What one step takes off: entries, their content, and what they take of the tars; what an earlier step took is its."""

    name: str
    entries: int
    bytes: int
    tar_bytes: int


class Draft:
    """The rows that are left out so far. A row of a repeated layer is that of the layer's first position.

    firsts  for each position the first of the same layer
    sheets  the layers as they are, by first position
    gone    of each row whether it is left out
    marks   by first position, the paths that get a whiteout there: what is left out hid something below
    names   file -> hard links to it
    parts   file -> bytes that it loses
    """

    def __init__(self, image: Image, stacked: Stack, books: Books) -> None:
        self.stack = stacked
        self.firsts = [layer.position if layer.same_as is None else layer.same_as for layer in image.layers]
        self.sheets = {
            layer.position: read_sheet(layer, layer.index, books.layers[layer.position].pull_bytes)
            for layer in image.layers
            if layer.index is not None
        }
        self.gone = bytearray(stacked.starts[-1])
        self.marks: dict[int, list[bytes]] = {}
        self.names: dict[int, set[int]] = {}
        self.parts: dict[int, int] = {}
        for link, inode in stacked.inodes.items():
            if inode >= 0:
                self.names.setdefault(self._row(inode), set()).add(self._row(link))

    def take(self, step: Step) -> Loss:
        """Leave out the rows of a step, and return what that takes off."""
        before, had = self._taken(), bytes(self.gone)
        for ident in step.rows:
            self.gone[self._row(ident)] = 1
        self.parts.update((self._row(ident), part) for ident, part in step.parts.items())
        if step.folders:
            for ident in self._emptied(had):
                self.gone[ident] = 1
        entries, content, tar = (new - old for new, old in zip(self._taken(), before, strict=True))
        return Loss(step.name, entries, content, tar)

    def remainder(self) -> dict[int, Sheet]:
        """Return what is left of each layer, by its first position."""
        heirs: dict[int, list[tuple[int, Sheet, int]]] = {}
        targets: dict[int, list[tuple[int, bytes]]] = {}
        for inode, heir in self._heirs().items():
            position = self.stack.position_of(heir)
            row = heir - self.stack.starts[position]
            heirs.setdefault(position, []).append((row, *self._place(inode)))
            path = self.sheets[position].index.paths[row]
            for link in self.names[inode]:
                if link != heir and not self.gone[link]:
                    position = self.stack.position_of(link)
                    targets.setdefault(position, []).append((link - self.stack.starts[position], path))
        parts: dict[int, list[tuple[int, int]]] = {}
        for ident, part in self.parts.items():
            position = self.stack.position_of(ident)
            parts.setdefault(position, []).append((ident - self.stack.starts[position], part))
        left = {}
        for position, sheet in self.sheets.items():
            start = self.stack.starts[position]
            rows = [row for row in range(len(sheet.index)) if not self.gone[start + row]]
            told = (heirs.get(position, ()), parts.get(position, ()), targets.get(position, ()))
            marks = self.marks.get(position, ())
            whole = len(rows) == len(sheet.index) and not any(told) and not marks
            left[position] = sheet if whole else keep(sheet, rows, *told, marks=marks)
        return left

    def idle(self) -> list[int]:
        """Return the whiteouts that hid something and have nothing to hide any more."""
        if not any(self.gone):
            return []
        left = self.remainder()
        after = stack([left[first].index if first in left else None for first in self.firsts])
        busy, free = set[int](), set[int]()
        for position, first in enumerate(self.firsts):
            hid, hides = self.stack.buried[position], after.buried[position]
            for row in self._whiteouts(first) if hid else ():
                path = self.sheets[first].index.paths[row]
                if path in hid:
                    (busy if path in hides else free).add(self.stack.starts[first] + row)
        return [ident for ident in sorted(free - busy) if not self.gone[ident]]

    def cover(self, name: str) -> Loss | None:
        """Put whiteouts where what is left out hid what lies below, so that nothing is seen again; None if there is none."""
        if not any(self.gone):
            return None
        left = self.remainder()
        after = stack([left[first].index if first in left else None for first in self.firsts])
        found: dict[int, set[bytes]] = {}
        kept: dict[int, list[int]] = {}
        for path, row in after.visible.items():
            seen, position = self.stack.visible.get(path), after.position_of(row)
            if seen is not None and not self.gone[self._row(seen)]:
                continue
            if position not in kept:
                start = self.stack.starts[self.firsts[position]]
                size = self.stack.starts[position + 1] - self.stack.starts[position]
                kept[position] = [number for number in range(size) if not self.gone[start + number]]
            origin = self.stack.starts[position] + kept[position][row - after.starts[position]]
            ended = self.stack.name_ended(origin)
            if origin != seen and ended > position and not (self._is_folder(origin) and self._is_folder(seen)):
                found.setdefault(self.firsts[ended], set()).add(path)
        for position, paths in found.items():
            self.marks[position] = sorted(path for path in paths if not paths & all_above((parent_of(path),)))
        count = sum(map(len, self.marks.values()))
        return Loss(name, -count, 0, -count * BLOCK) if count else None

    def _is_folder(self, ident: int | None) -> bool:
        if ident is None:
            return False
        sheet, row = self._place(self._row(ident))
        return sheet.index.kinds[row] == _FOLDER

    def _whiteouts(self, position: int) -> list[int]:
        return [row for row, kind in enumerate(self.sheets[position].index.kinds) if kind == _WHITEOUT]

    def _row(self, ident: int) -> int:
        """Return the row that stands for a row, also of a repeated layer."""
        position = self.stack.position_of(ident)
        return ident - self.stack.starts[position] + self.stack.starts[self.firsts[position]]

    def _place(self, ident: int) -> tuple[Sheet, int]:
        position = self.stack.position_of(ident)
        return self.sheets[position], ident - self.stack.starts[position]

    def _taken(self) -> tuple[int, int, int]:
        """Return entries, content and bytes of the tars that are gone: a file's data stay while any of its names does."""
        entries = content = tar = 0
        for position, sheet in self.sheets.items():
            start, index = self.stack.starts[position], sheet.index
            rows = self.gone[start : start + len(index)]
            entries += rows.count(1)
            content += sum(compress(index.sizes, rows))
            tar += sum(compress(index.spans, rows))
        for ident, part in self.parts.items():
            if not self.gone[ident]:
                sheet, row = self._place(ident)
                content += part
                if row not in sheet.index.sparse:
                    tar += padded(sheet.index.sizes[row]) - padded(sheet.index.sizes[row] - part)
        for inode in self._heirs():
            sheet, row = self._place(inode)
            content -= sheet.index.sizes[row]
            tar -= stored(sheet.index, row)
        return entries, content, tar

    def _heirs(self) -> dict[int, int]:
        """Return file -> first hard link to it, where the file's own entry is gone and the link's is not."""
        heirs = {}
        for inode, links in self.names.items():
            left = [link for link in links if not self.gone[link]] if self.gone[inode] else ()
            if left:
                heirs[inode] = min(left)
        return heirs

    def _emptied(self, had: bytes) -> list[int]:
        """Return the folders that nothing is left in, since `had` told what was gone.

        That is a folder of which nothing is left in its layer, and which a lower layer lists as well or no layer needs.
        """
        touched: dict[int, set[bytes]] = {}
        needed: dict[int, set[bytes]] = {}
        for position, sheet in self.sheets.items():
            start, index = self.stack.starts[position], sheet.index
            rows = range(start, start + len(index))
            news = [self.gone[row] and not had[row] for row in rows]
            above = touched[position] = all_above(compress(index.folders, news))
            left = (
                folder
                for folder, path, kind, ident in zip(index.folders, index.paths, index.kinds, rows, strict=True)
                if not self.gone[ident] and (kind != _FOLDER or path not in above)
            )
            needed[position] = all_above(left)
        anywhere = set[bytes]().union(*needed.values())
        listed: set[bytes] = set()
        found = []
        for position, sheet in self.sheets.items():
            index, free = sheet.index, touched[position] - needed[position]
            folders = [row for row, kind in enumerate(index.kinds) if kind == _FOLDER]
            for row in folders if free else ():
                path = index.paths[row]
                if path in free and (path in listed or path not in anywhere):
                    found.append(self.stack.starts[position] + row)
            listed.update(index.paths[row] for row in folders)
        return found
