"""How much is in each folder, down to some depth? A du for layered images."""

from __future__ import annotations

from collections.abc import Iterable

from layerscope.analysis.files import FileRow
from layerscope.frozen import frozen
from layerscope.model import Fate, Kind


@frozen
class FolderRow:
    """A folder, or a file that stands at the last depth, and all that is in it.

    bytes   content of all layers; `live_bytes` of them a container sees
    files   regular files
    layers  positions of the layers that store content in it
    depth   0 for the root, 1 for what is in it
    """

    path: bytes
    bytes: int
    live_bytes: int
    files: int
    layers: tuple[int, ...]
    depth: int


class _Sum:
    __slots__ = ("bytes", "files", "layers", "live")

    def __init__(self) -> None:
        self.bytes = self.live = self.files = 0
        self.layers: set[int] = set()


def sum_folders(files: Iterable[FileRow], depth: int, *, sort: str = "size", least: int = 0) -> tuple[FolderRow, ...]:
    """Return the folders of a tree, each before what is in it; folders of less than `least` bytes are left out.

    Siblings are sorted by size, by path, or by the first layer that stores something in them.
    """
    sums: dict[bytes, _Sum] = {b"": _Sum()}
    children: dict[bytes, list[bytes]] = {}
    for file in files:
        if file.kind != Kind.FILE:
            continue
        parts = file.path.split(b"/", depth)[:depth]
        for count in range(len(parts) + 1):
            path = b"/".join(parts[:count])
            found = sums.get(path)
            if found is None:
                found = sums[path] = _Sum()
                children.setdefault(b"/".join(parts[: count - 1]), []).append(path)
            found.bytes += file.bytes
            found.files += 1
            if file.bytes:
                found.layers.add(file.layer)
            if file.fate is Fate.LIVE:
                found.live += file.bytes
    keys = {
        "size": lambda path: (-sums[path].bytes, path),
        "path": lambda path: (0, path),
        "layer": lambda path: (min(sums[path].layers, default=-1), path),
    }
    rows: list[FolderRow] = []
    waiting = [(b"", 0)]
    while waiting:
        path, level = waiting.pop()
        found = sums[path]
        if found.bytes < least and level:
            continue
        rows.append(FolderRow(path, found.bytes, found.live, found.files, tuple(sorted(found.layers)), level))
        below = sorted(children.get(path, ()), key=keys[sort], reverse=True)
        waiting += ((child, level + 1) for child in below)
    return tuple(rows)
