"""What do contents hold that somebody asked for? Hands each file's content to a function, and keeps its marks."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from layerscope.archive.equal import Place
from layerscope.archive.notebook import Notebook
from layerscope.model import Kind, LayerIndex, Level, Mark

FILE = int(Kind.FILE)
INSPECTED = 8 << 20
_HEAD = 8192

Inspect = Callable[[bytes, int, bytes], tuple[Mark, ...]]


def inspect_content(index: LayerIndex, row: int, place: tuple[bytes, int, int], content: bytes, inspect: Inspect) -> bool:
    """Inspect what is there of a file: `place` is its path, mode and size. Return whether a text was longer than that."""
    path, mode, size = place
    marks = inspect(path, mode, content)
    if marks:
        index.marks[row] = marks
    return size > len(content) and b"\0" not in content[:_HEAD]


def tell_cut(notes: Notebook, path: bytes, size: int, *, offset: int | None = None, layer: int | None = None) -> None:
    """Note that a text was too long to be inspected whole."""
    message = f"of {size:,} bytes only the first {INSPECTED:,} were looked into for secrets"
    if layer is None:
        notes.info("E08", message, path=path, offset=offset)
    else:
        notes.add("E08", Level.INFO, message, path=path, offset=offset, layer=layer)


def inspect_places(places: Sequence[tuple[int, Place]], inspect: Inspect, notes: Notebook) -> None:
    """Inspect the files of layers that lie in place; each comes with its position."""
    for position, place in places:
        index = place.index
        for row, (kind, size) in enumerate(zip(index.kinds, index.sizes, strict=True)):
            if kind != FILE or not size or row in index.sparse:
                continue
            # A program is told by its first block; most of the bytes of an image need not be read.
            if size > _HEAD and b"\0" in place.content(row, 0, 4096):
                continue
            path = index.paths[row]
            content = bytes(place.content(row, 0, min(size, INSPECTED)))
            if inspect_content(index, row, (path, index.modes[row], size), content, inspect):
                tell_cut(notes, path, size, offset=index.offsets[row], layer=position)
