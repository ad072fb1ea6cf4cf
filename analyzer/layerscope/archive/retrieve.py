"""What are the bytes of one file of one layer? Read again, as they come, in constant memory."""

from __future__ import annotations

from collections.abc import Iterator

from layerscope.archive.compression import decompress, detect
from layerscope.archive.container import Container, Member
from layerscope.archive.notebook import Notebook
from layerscope.archive.scan import chunks_of, part_of
from layerscope.archive.sparse import fill
from layerscope.errors import LimitError
from layerscope.model import LayerIndex


def read_file(container: Container, member: Member | None, index: LayerIndex, row: int) -> Iterator[bytes]:
    """Yield the content of a regular file of a layer; `member` is None if the container is the layer.

    Raises `LimitError` before the first byte if it is too large, `ArchiveError` where the layer ends before it does, or where
    the input passed once and is gone.
    """
    size, limit = index.sizes[row], container.settings.limits.file_bytes
    if size > limit:
        raise LimitError(f"the file has {size:,} bytes, more than {limit:,}", limit="file_bytes")
    fragments = index.sparse.get(row)
    stored = size if fragments is None else sum(length for _, length in fragments)
    data = _stored(container, member, index.offsets[row], stored)
    return data if fragments is None else fill(fragments, size, data)


def _stored(container: Container, member: Member | None, start: int, size: int) -> Iterator[bytes]:
    """Yield part of a layer's tar."""
    place = container.place(member)
    if place is not None:
        buffer, at = place
        if member is None or detect(buffer[at : at + min(member.size, 6)]) == "none":
            yield from part_of(chunks_of(buffer, at + start, size), 0, size)
            return
    blob = container.chunks(member)
    head = next(blob, b"")
    while 0 < len(head) < 6 and (more := next(blob, b"")):
        head += more
    limits = container.settings.limits
    yield from part_of(decompress(_again(head, blob), detect(head), limits, Notebook()), start, size)


def _again(head: bytes, rest: Iterator[bytes]) -> Iterator[bytes]:
    yield head
    yield from rest
