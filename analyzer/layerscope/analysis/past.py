"""What happened to a path: who put it there, under which other names, and what did later layers do to it?"""

from __future__ import annotations

from collections.abc import Sequence
from difflib import get_close_matches

from layerscope.analysis.files import FileRow
from layerscope.frozen import frozen
from layerscope.model import Fate, Kind


@frozen
class Past:
    """The rows of one path through the layers, oldest first.

    row       the row that the container sees, else the last one
    rows      every row of the path
    siblings  rows with other names of the same inode
    """

    row: FileRow
    rows: tuple[FileRow, ...]
    siblings: tuple[FileRow, ...]


_MARKS = frozenset({Kind.WHITEOUT, Kind.OPAQUE})


def find_past(files: Sequence[FileRow], path: bytes) -> Past | None:
    """Return what happened to a path, None if no layer holds it."""
    rows = [file for file in files if file.path == path and file.kind not in _MARKS]
    if not rows:
        return None
    row = next((file for file in reversed(rows) if file.fate is Fate.LIVE), rows[-1])
    return Past(row, tuple(rows), _siblings(files, row))


def _siblings(files: Sequence[FileRow], row: FileRow) -> tuple[FileRow, ...]:
    """Return the other names: what links to the same file, in this layer or a later one, and the file itself."""
    home = row
    if row.kind is Kind.HARDLINK:
        below = [one for one in files if one.path == row.link and one.layer <= row.layer and one.kind is Kind.FILE]
        home = below[-1] if below else row
    elif row.kind is not Kind.FILE:
        return ()
    later = [one.layer for one in files if one.path == home.path and one.layer > home.layer and one.kind not in _MARKS]
    end = min(later, default=1 << 30)
    names = (
        one
        for one in files
        if one is home or (one.kind is Kind.HARDLINK and one.link == home.path and home.layer <= one.layer < end)
    )
    return tuple(one for one in names if one.path != row.path)


def near_paths(files: Sequence[FileRow], path: bytes) -> tuple[str, ...]:
    """Return the paths that are nearest to one that is not there: those of the same name first."""
    name = path.rpartition(b"/")[2]
    paths = dict.fromkeys(file.path for file in files if file.kind not in _MARKS)
    same = [other for other in paths if name and other.rpartition(b"/")[2] == name][:5]
    if not same:
        folder = path.rpartition(b"/")[0]
        beside = {
            other.rpartition(b"/")[2].decode("utf-8", "replace"): other
            for other in paths
            if other.rpartition(b"/")[0] == folder
        }
        same = [beside[near] for near in get_close_matches(name.decode("utf-8", "replace"), list(beside), 5, 0.5)]
    if not same:
        stem = name.partition(b".")[0]
        same = [other for other in paths if len(stem) > 2 and other.rpartition(b"/")[2].startswith(stem)][:5]
    return tuple("/" + other.decode("utf-8", "replace") for other in same)
