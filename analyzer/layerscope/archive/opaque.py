"""Which layers cannot be looked into, by what their media type says (A39, A43, A57), and which marks are none (A38)?"""

from __future__ import annotations

from array import array

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
        kinds=bytearray(),
        sizes=array("q"),
        modes=array("H"),
        uids=[],
        gids=[],
        mtimes=[],
        offsets=array("q"),
        spans=array("q"),
        links={},
        xattrs={},
        declared={},
        sparse={},
        digests={},
        kept={},
        tar_bytes=size,
    )


def drop_opaque(index: LayerIndex) -> int:
    """Turn the opaque marks of a layer into entries that do nothing, as Windows has it (A38); return how many there were."""
    rows = [row for row, kind in enumerate(index.kinds) if kind == Kind.OPAQUE]
    for row in rows:
        index.kinds[row] = Kind.OTHER
        index.paths[row] += b"/.wh..wh..opq"
    return len(rows)
