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
) -> Sheet:
    """Return a layer with only these rows.

    An heir `(row, sheet, row there)` is a hard link that gets its file's data, a part `(row, bytes)` what a file loses.
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
    for row, part in parts:
        if row in places:
            _shorten(index, costs, places[row], part)
    for row, giver, origin in heirs:
        _inherit(index, costs, places[row], giver, origin)
    lost = None if sheet.costs is None or costs is None else sum(sheet.costs) - sum(costs)
    pull = None if sheet.pull is None or lost is None else max(0.0, sheet.pull - lost)
    return Sheet(replace(index, tar_bytes=_seal(sheet.index, sum(index.spans))), costs, pull)


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


def merge(below: Sequence[LayerIndex | None], sheets: Sequence[Sheet]) -> Sheet:
    """Return several layers, base first, as the one that a single instruction would have made on those below.

    It has what is to be seen of their rows, and the marks that still hide something below.
    """
    merged = stack([sheet.index for sheet in sheets])
    everything = _chain(sheets)
    beneath = stack(below)
    for path in _torn(beneath, merged, everything.index):
        _add_mark(everything, path)
    there = {row: path for path, row in merged.visible.items()}
    rows = sorted(there)
    names: dict[int, int] = {}
    for link, inode in merged.inodes.items():
        if inode >= 0 and inode not in there and link in there:
            names[inode] = min(link, names.get(inode, link))
    heirs = [(link, everything, inode) for inode, link in names.items()]
    marks = _marks(beneath, merged, everything.index)
    sheet = keep(everything, [*marks, *rows], heirs)
    paths = [*(everything.index.paths[row] for row in marks), *(there[row] for row in rows)]
    tar_bytes = _seal(sheets[-1].index, sum(sheet.index.spans))
    return replace(sheet, index=replace(sheet.index, paths=paths, folders=list(map(parent_of, paths)), tar_bytes=tar_bytes))


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


def _add_mark(sheet: Sheet, path: bytes) -> None:
    """Add an opaque mark of a folder, as a builder writes one."""
    index = sheet.index
    for paths in (index.paths, index.folders):
        paths.append(path)
    for owners in (index.uids, index.gids):
        owners.append(0)
    for numbers in (index.sizes, index.modes, index.mtimes, index.offsets, index.contents):
        if len(numbers) == len(index.kinds):
            numbers.append(0)
    index.spans.append(BLOCK)
    index.kinds.append(_OPAQUE)
    if sheet.costs is not None:
        sheet.costs.append(0.0)


def _marks(below: Stack, merged: Stack, index: LayerIndex) -> list[int]:
    """Return the marks that hide something below which nothing else hides."""
    folders = all_above(map(parent_of, below.visible)) | {b""}
    kept: dict[bytes, int] = {}
    chosen = []
    marks = [row for row, kind in enumerate(index.kinds) if kind in MARKS]
    for row in sorted(marks, key=lambda row: (len(index.paths[row]), index.kinds[row])):
        path, whiteout = index.paths[row], index.kinds[row] == _WHITEOUT
        if path in kept or (path not in folders and not (whiteout and path in below.visible)):
            continue
        taken = merged.visible.get(path)
        if (taken is not None and index.kinds[taken] != _FOLDER) or _is_hidden(path, kept, merged, index):
            continue
        kept[path] = row
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
