"""Is the last file of a tar there in part only?"""

from __future__ import annotations

from layerscope.archive.prints import WIDTH
from layerscope.archive.tar.folders import forget
from layerscope.model import Kind, LayerIndex


def cut_row(index: LayerIndex) -> int:
    """Return the last row if it is a file whose data are cut, else -1."""
    row = len(index) - 1
    return row if row in index.declared and index.kinds[row] == Kind.FILE else -1


def drop_cut(index: LayerIndex) -> None:
    """Take away the last row if its data are cut: in a layer an entry counts when all its data is there."""
    row = cut_row(index)
    if row < 0:
        return
    lists = (index.paths, index.folders, index.uids, index.gids, index.mtimes, index.kinds, index.sizes, index.modes)
    for column in (*lists, index.offsets, index.spans, index.prints):
        column.pop()
    del index.labels[row * WIDTH :]
    forget(index, row)
