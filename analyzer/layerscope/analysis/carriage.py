"""What does a registry send for each entry of a layer? An estimate, from how the layer's blob goes with its tar."""

from __future__ import annotations

from array import array

from layerscope.model import Layer, LayerIndex

BLOCK = 512


def padded(size: int) -> int:
    """Return the bytes of a tar that data take."""
    return -(-size // BLOCK) * BLOCK


def stored(index: LayerIndex, row: int) -> int:
    """Return the bytes of the tar that a row's data take, with their padding."""
    fragments = index.sparse.get(row)
    size = index.declared.get(row, index.sizes[row]) if fragments is None else sum(length for _, length in fragments)
    return padded(size)


def price_rows(layer: Layer, index: LayerIndex) -> array[float] | None:
    """Return the compressed bytes of each row, headers and padding included; None if nothing is known of them."""
    course = layer.course
    if course is None:
        return None
    ends = (offset + stored(index, row) for row, offset in enumerate(index.offsets))
    return array("d", (course.over(end - span, span) for end, span in zip(ends, index.spans, strict=True)))
