"""Which row holds the content that a path means, in the container or in one layer?"""

from __future__ import annotations

from layerscope.errors import SelectionError, no_such_layer
from layerscope.frozen import frozen
from layerscope.model import Image, Kind
from layerscope.rootfs.stack import MARKS, Stack

_WHAT = {
    Kind.DIRECTORY: "a folder",
    Kind.CHARACTER: "a device",
    Kind.BLOCK: "a device",
    Kind.FIFO: "a FIFO",
}


@frozen
class Spot:
    """A file of a layer.

    path      as it was asked for
    layer     position of the layer that has the name; `ended_by` that of the one that took it away, None while it lives
    home      position of the layer that stores the content, another one if the name is a hard link; `row` is the row there
    """

    path: bytes
    layer: int
    ended_by: int | None
    home: int
    row: int


def find_spot(image: Image, stacked: Stack, path: bytes, layer: int | None = None) -> Spot | None:
    """Return where the content of a path is; None if no layer, or not this one, has that path.

    Without `layer` it is what a container sees, else what the last layer that has the path stores. Links in the image are not
    followed. Raises `SelectionError` for what is no regular file.
    """
    if layer is not None and not 0 <= layer < len(image.layers):
        raise no_such_layer(layer, len(image.layers))
    if layer is not None and image.index_of(layer) is None:
        raise SelectionError(f"layer {layer} is not in the archive")
    ident = stacked.visible.get(path) if layer is None else None
    if ident is None:
        ident = _last(image, stacked, path, range(len(image.layers)) if layer is None else (layer,))
    if ident is None:
        return None
    position = stacked.position_of(ident)
    index, row = image.index_of(position), ident - stacked.starts[position]
    assert index is not None
    kind = Kind(index.kinds[row])
    shown = "/" + path.decode("utf-8", "replace")
    if kind in MARKS:
        raise SelectionError(f"layer {position} deletes {shown}")
    if kind is Kind.SYMLINK:
        target = index.links.get(row, b"").decode("utf-8", "replace")
        raise SelectionError(f"{shown} is a symlink to {target}; links are not followed")
    home = stacked.inodes.get(ident, -1) if kind is Kind.HARDLINK else ident
    if home < 0:
        raise SelectionError(f"{shown} is a hard link to what is not there")
    place = stacked.position_of(home)
    there = image.index_of(place)
    inside = home - stacked.starts[place]
    if there is None or there.kinds[inside] != Kind.FILE:
        raise SelectionError(f"{shown} is {_WHAT.get(kind, 'no regular file')}")
    ended = stacked.name_ended(ident)
    return Spot(path, position, None if ended < 0 else ended, place, inside)


def _last(image: Image, stacked: Stack, path: bytes, positions: range | tuple[int, ...]) -> int | None:
    """Return the last row of a path in these layers: a mark only where there is nothing else."""
    mark = None
    for position in reversed(positions):
        index = image.index_of(position)
        if index is None or path not in index.paths:
            continue
        for row in reversed(range(len(index))):
            if index.paths[row] == path:
                if index.kinds[row] not in MARKS:
                    return stacked.starts[position] + row
                mark = mark or stacked.starts[position] + row
    return mark
