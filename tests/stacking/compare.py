"""Is what the program stacks what the oracle stacks?"""

from __future__ import annotations

from collections.abc import Sequence

from layerscope.archive.feed import Feed
from layerscope.archive.limits import Limits
from layerscope.archive.tar.reader import read_tar
from layerscope.model import Kind, LayerIndex
from layerscope.rootfs.stack import Stack
from layerscope.rootfs.stacker import stack
from oracle import Oracle


def index(layer: bytes) -> LayerIndex:
    return read_tar(Feed.over(layer, 0, len(layer)), limits=Limits())


def stacked(layers: Sequence[bytes]) -> tuple[list[LayerIndex], Stack]:
    indexes = [index(layer) for layer in layers]
    return indexes, stack(indexes)


def shown(layers: Sequence[bytes]) -> dict[str, str]:
    """Return what a container sees: path -> kind, and of files through hard links their layer and row."""
    indexes, result = stacked(layers)
    found = {}
    for path, row in result.visible.items():
        inode = result.inodes.get(row, row)
        position = result.position_of(inode if inode >= 0 else row)
        kind = Kind(indexes[position].kinds[(inode if inode >= 0 else row) - result.starts[position]])
        name = path.decode("utf-8", "backslashreplace") or "/"
        found[name] = kind.name.lower() if kind is not Kind.FILE else f"file {position}:{inode - result.starts[position]}"
        if inode < 0:
            found[name] = "nothing"
    return found


def assert_equals_oracle(layers: Sequence[bytes]) -> None:
    """Fail unless program and oracle see the same."""
    indexes, result = stacked(layers)
    oracle = Oracle(layers)

    def place(row: int) -> tuple[int, int]:
        position = result.position_of(row)
        return position, row - result.starts[position]

    assert {path: place(row) for path, row in result.visible.items()} == oracle.visible()
    fates, ended = {}, {}
    sums = [0, 0, 0]
    for position, layer in enumerate(indexes):
        for row, kind in enumerate(layer.kinds):
            ident = result.starts[position] + row
            if kind == Kind.FILE:
                fates[position, row] = (result.fates[ident], result.ended[ident])
                sums[result.fates[ident]] += layer.sizes[row]
            if (position, row) in oracle.names:
                fate, end = result.names.get(ident, (result.fates[ident], result.ended[ident]))
                ended[position, row] = (fate, end)
    assert fates == oracle.fates()
    assert ended == {place: (name.fate, name.ended) for place, name in oracle.names.items()}
    wanted = [0, 0, 0]
    for where, inode in oracle.inodes.items():
        wanted[oracle.fates()[where][0]] += inode.size
    assert sums == wanted
    assert sum(sums) == sum(layer.content_bytes for layer in indexes)
    for link, inode in result.inodes.items():
        there = oracle.names[place(link)].inode
        names = [] if there is None else [(name.layer, name.row) for name in there.names]
        assert (place(inode) == names[0]) if inode >= 0 else not names
