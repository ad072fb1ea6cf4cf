"""Which layers cannot be looked into, by what their media type says (A39, A43, A57), and which marks are none (A38)?"""

from __future__ import annotations

from array import array
from dataclasses import replace

from layerscope.model import Kind, LayerIndex


def why_opaque(media_type: str | None) -> tuple[str, str] | None:
    """Return the case and what to say, None for a layer that is a tar."""
    kind = (media_type or "").lower()
    if "encrypted" in kind:
        return "A39", "the layer is encrypted"
    if "erofs" in kind:
        return "A57", "the layer is an EROFS file system"
    if "squashfs" in kind:
        return "A43", "the layer is a squashfs file system"
    return None


def opaque_index(size: int) -> LayerIndex:
    """Return the index of a blob of which only the size is known."""
    return LayerIndex(
        paths=[],
        folders=[],
        kinds=bytearray(),
        sizes=array("q"),
        modes=array("H"),
        uids=array("q"),
        gids=array("q"),
        mtimes=[],
        offsets=array("q"),
        spans=array("q"),
        links={},
        xattrs={},
        declared={},
        sparse={},
        contents=array("i"),
        kept={},
        tar_bytes=size,
    )


def drop_opaque(index: LayerIndex) -> LayerIndex:
    """Return the index with its opaque marks as entries that do nothing, as Windows has it (A38); itself if it has none."""
    rows = [row for row, kind in enumerate(index.kinds) if kind == Kind.OPAQUE]
    if not rows:
        return index
    kinds, paths = index.kinds[:], index.paths[:]
    for row in rows:
        kinds[row] = Kind.OTHER
        paths[row] += b"/.wh..wh..opq"
    return replace(index, kinds=kinds, paths=paths)
