"""What is left of a layer without some of its rows, and what do several layers make as one? Imagined: nothing is rebuilt."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

from layerscope.analysis.carriage import BLOCK, price_rows, stored
from layerscope.model import Kind, Layer, LayerIndex
from layerscope.rootfs.paths import parent_of
from layerscope.rootfs.stack import MARKS, Stack
from layerscope.rootfs.stacker import stack

RECORD = 10_240
_FOLDER, _SYMLINK, _WHITEOUT, _OPAQUE = (int(kind) for kind in (Kind.DIRECTORY, Kind.SYMLINK, Kind.WHITEOUT, Kind.OPAQUE))


@dataclass(slots=True)
class Sheet:
    """A layer's rows and what each costs.

    costs  bytes that a registry sends for each row: an estimate; None if nothing is known
    pull   bytes that it sends for all of the layer
    """

    index: LayerIndex
    costs: array[float] | None
    pull: float | None

    @property
    def content_bytes(self) -> int:
        """Content of the layer's files."""
        return self.index.content_bytes


def read_sheet(layer: Layer, index: LayerIndex, pull: int | None) -> Sheet:
    """Return the sheet of a layer as it is."""
    return Sheet(index, None if pull is None else price_rows(layer, index), pull)


def keep(
    sheet: Sheet,
    rows: Sequence[int],
    heirs: Iterable[tuple[int, Sheet, int]] = (),
    parts: Iterable[tuple[int, int]] = (),
    targets: Iterable[tuple[int, bytes]] = (),
    marks: Iterable[bytes] = (),
) -> Sheet:
    """Return a layer with only these rows, and whiteouts of the paths in `marks`.

    An heir `(row, sheet, row there)` is a hard link that gets its file's data, a part `(row, bytes)` what a file loses, a
    target `(row, path)` what a hard link names instead of what is gone.
    """
    places = {row: number for number, row in enumerate(rows)}
    columns: dict[str, Any] = {}
    for field in fields(LayerIndex):
        column = getattr(sheet.index, field.name)
        if isinstance(column, dict):
            columns[field.name] = {places[row]: value for row, value in column.items() if row in places}
        elif isinstance(column, list | bytearray | array):
            columns[field.name] = _pick(column, rows) if len(column) == len(sheet.index) else column[:0]
    index = replace(sheet.index, **columns)
    costs = None if sheet.costs is None else array("d", [sheet.costs[row] for row in rows])
    for row, path in targets:
        index.links[places[row]] = path
    for row, part in parts:
        if row in places:
            _shorten(index, costs, places[row], part)
    for row, giver, origin in heirs:
        _inherit(index, costs, places[row], giver, origin)
    lost = None if sheet.costs is None or costs is None else sum(sheet.costs) - sum(costs)
    pull = None if sheet.pull is None or lost is None else max(0.0, sheet.pull - lost)
    left = Sheet(index, costs, pull)
    for path in marks:
        _add_mark(left, path, _WHITEOUT)
    return replace(left, index=replace(index, tar_bytes=_seal(sheet.index, sum(index.spans))))


def _pick(column: Any, rows: Sequence[int]) -> Any:
    if isinstance(column, array):
        return array(column.typecode, [column[row] for row in rows])
    return type(column)(column[row] for row in rows)


def _shorten(index: LayerIndex, costs: array[float] | None, row: int, part: int) -> None:
    """Let a file lose some of its bytes, which shrink as well as the others."""
    before = stored(index, row)
    index.sizes[row] -= part
    off = before - stored(index, row)
    if costs is not None and index.spans[row]:
        costs[row] *= 1 - off / index.spans[row]
    index.spans[row] -= off


def _inherit(index: LayerIndex, costs: array[float] | None, row: int, giver: Sheet, origin: int) -> None:
    """Let a hard link be what it names, which is gone."""
    data = stored(giver.index, origin)
    index.kinds[row] = giver.index.kinds[origin]
    index.sizes[row] = giver.index.sizes[origin]
    index.spans[row] += data
    if index.kinds[row] == _SYMLINK:
        index.links[row] = giver.index.links.get(origin, b"")
    else:
        index.links.pop(row, None)
    if origin in giver.index.sparse:
        index.sparse[row] = giver.index.sparse[origin]
    if costs is not None and giver.costs is not None:
        costs[row] += giver.costs[origin] * data / giver.index.spans[origin]


def _seal(index: LayerIndex, used: int) -> int:
    """Return the size of a tar whose entries take `used` bytes, and that ends as another does: GNU tar's in whole records."""
    end = index.tar_bytes - sum(index.spans)
    if index.tar_bytes % RECORD == 0 and 2 * BLOCK < end < RECORD + 2 * BLOCK:
        return -(-(used + 2 * BLOCK) // RECORD) * RECORD
    return used + end


def merge(below: Sequence[Sheet | None], sheets: Sequence[Sheet]) -> Sheet:
    """Return several layers, base first, as the one that a single instruction would have made on those below.

    It has what is to be seen of their rows, and the marks that still hide something below.
    """
    merged, everything = stack([sheet.index for sheet in sheets]), _chain(sheets)
    indexes = [sheet.index if sheet else None for sheet in below]
    beneath = stack(indexes)
    whole = stack([*indexes, *(sheet.index for sheet in sheets)])
    for path in _torn(beneath, merged, everything.index):
        _add_mark(everything, path, _OPAQUE)
    there = {row: path for path, row in merged.visible.items()}
    rows = sorted(there)
    marks = _marks(beneath, merged, whole, everything.index)
    paths = [*(everything.index.paths[row] for row in marks), *(there[row] for row in rows)]
    heirs, targets = _links(whole, len(below), there, everything)
    sheet = _name(keep(everything, [*marks, *rows], heirs, (), targets), paths)
    if lost := _lost(whole, stack([*indexes, sheet.index]), there, rows, len(marks)):
        for inode, links in lost.items():
            position = whole.position_of(inode)
            giver = below[position]
            assert giver is not None
            heirs.append((links[0], giver, inode - whole.starts[position]))
            targets += ((link, there[links[0]]) for link in links[1:])
        sheet = _name(keep(everything, [*marks, *rows], heirs, (), targets), paths)
    tar_bytes = _seal(sheets[-1].index, sum(sheet.index.spans))
    return replace(sheet, index=replace(sheet.index, tar_bytes=tar_bytes))


def _name(sheet: Sheet, paths: list[bytes]) -> Sheet:
    return replace(sheet, index=replace(sheet.index, paths=paths, folders=list(map(parent_of, paths))))


def _links(
    whole: Stack, position: int, there: dict[int, bytes], everything: Sheet
) -> tuple[list[tuple[int, Sheet, int]], list[tuple[int, bytes]]]:
    """Return which hard links get the data of what they name, and what the others name; what leads nowhere names the root."""
    start, heirs, targets = whole.starts[position], dict[int, int](), []
    for link, inode in sorted((link - start, inode - start) for link, inode in whole.inodes.items() if link >= start):
        if link not in there:
            continue
        if inode + start < 0:
            targets.append((link, b""))
        elif inode in there:
            targets.append((link, there[inode]))
        elif inode >= 0 and inode not in heirs:
            heirs[inode] = link
        elif inode >= 0:
            targets.append((link, there[heirs[inode]]))
    return [(link, everything, inode) for inode, link in heirs.items()], targets


def _lost(whole: Stack, after: Stack, there: dict[int, bytes], rows: list[int], marks: int) -> dict[int, list[int]]:
    """Return the files below whose hard links in one layer do not lead to them, and these links."""
    start = whole.starts[len(after.starts) - 2]
    first = after.starts[-2] + marks
    places = {row: first + number for number, row in enumerate(rows)}
    lost: dict[int, list[int]] = {}
    for link, inode in whole.inodes.items():
        row = link - start
        if 0 <= inode < start and row in there and after.inodes.get(places[row]) != inode:
            lost.setdefault(inode, []).append(row)
    return lost


def _chain(sheets: Sequence[Sheet]) -> Sheet:
    """Return all rows of several layers, one after the other, as if they were one layer's."""
    columns: dict[str, Any] = {}
    starts = [0]
    for sheet in sheets:
        starts.append(starts[-1] + len(sheet.index))
    for field in fields(LayerIndex):
        found = [getattr(sheet.index, field.name) for sheet in sheets]
        if isinstance(found[0], dict):
            columns[field.name] = {
                start + row: value for start, column in zip(starts, found, strict=False) for row, value in column.items()
            }
        elif isinstance(found[0], list | bytearray | array):
            column = columns[field.name] = found[0][:]
            for more in found[1:]:
                column += more
            if len(column) != starts[-1]:  # not taken, or let go
                del column[:]
    costs, pull = array("d"), 0.0
    known = all(sheet.costs is not None and sheet.pull is not None for sheet in sheets)
    for sheet in sheets if known else ():
        costs += sheet.costs or array("d")
        pull += sheet.pull or 0.0
    index = replace(sheets[-1].index, **columns, tar_bytes=sum(sheet.index.tar_bytes for sheet in sheets))
    return Sheet(index, costs if known else None, pull if known else None)


def _torn(below: Stack, merged: Stack, index: LayerIndex) -> list[bytes]:
    """Return folders that are there below and in the end, and were a file or a link between: nothing below shows through."""
    columns = zip(index.paths, index.kinds, strict=True)
    marked = (path if kind == _OPAQUE else parent_of(path) for path, kind in columns if kind in MARKS)
    above = all_above(map(parent_of, merged.visible)) | all_above(marked)
    above.update(path for path, row in merged.visible.items() if index.kinds[row] == _FOLDER)
    beneath = all_above(map(parent_of, below.visible)) & above
    solid = (path for path, kind in zip(index.paths, index.kinds, strict=True) if kind != _FOLDER and kind not in MARKS)
    return list(dict.fromkeys(path for path in solid if path in beneath))


def _add_mark(sheet: Sheet, path: bytes, kind: int) -> None:
    """Add an opaque mark of a folder, or a whiteout, as a builder writes one."""
    index = sheet.index
    index.paths.append(path)
    index.folders.append(path if kind == _OPAQUE else parent_of(path))
    for owners in (index.uids, index.gids):
        owners.append(0)
    for numbers in (index.sizes, index.modes, index.mtimes, index.offsets, index.contents):
        if len(numbers) == len(index.kinds):
            numbers.append(0)
    index.spans.append(BLOCK)
    index.kinds.append(kind)
    if sheet.costs is not None:
        sheet.costs.append(0.0)


def _marks(below: Stack, merged: Stack, whole: Stack, index: LayerIndex) -> list[int]:
    """Return the marks that hide something below which nothing else hides: also a file by the folder that a mark is in."""
    folders = all_above(map(parent_of, below.visible)) | {b""}
    kept: dict[bytes, int] = {}
    chosen = []
    covered: set[bytes] = set()
    marks = [row for row, kind in enumerate(index.kinds) if kind in MARKS]
    for row in sorted(marks, key=lambda row: (len(index.paths[row]), index.kinds[row])):
        path, whiteout = index.paths[row], index.kinds[row] == _WHITEOUT
        news = {one for one in all_above((parent_of(path) if whiteout else path,)) if one in below.visible} - covered
        news = {one for one in news if one not in whole.visible}
        if path in kept or (path not in folders and not (whiteout and path in below.visible) and not news):
            continue
        taken = merged.visible.get(path)
        if (taken is not None and index.kinds[taken] != _FOLDER) or _is_hidden(path, kept, merged, index):
            continue
        kept[path] = row
        covered |= news
        chosen.append(row)
    return sorted(chosen)


def all_above(folders: Iterable[bytes]) -> set[bytes]:
    """Return folders and all that they are in, but for the root."""
    found: set[bytes] = set()
    for folder in folders:
        while folder and folder not in found:
            found.add(folder)
            folder = parent_of(folder)
    return found


def _is_hidden(path: bytes, kept: dict[bytes, int], merged: Stack, index: LayerIndex) -> bool:
    """Whether a folder above is hidden itself, or is no folder any more."""
    while path:
        path = parent_of(path)
        row = merged.visible.get(path)
        if path in kept or (row is not None and index.kinds[row] != _FOLDER):
            return True
    return False
