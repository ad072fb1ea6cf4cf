"""What are the bytes of one file of one layer? Read again, as they come, in constant memory."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from layerscope.archive.again import Fetch, in_place, in_stream, tar_of
from layerscope.archive.compression.members import detect
from layerscope.archive.container.base import Container, Member
from layerscope.archive.equal import Place
from layerscope.archive.scan import chunks_of, part_of
from layerscope.archive.tar.sparse import fill
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
    yield from part_of(tar_of(container.chunks(member), container.settings.limits), start, size)


def fetch_files(container: Container, member: Member | None, index: LayerIndex) -> Fetch:
    """Return what gives files of a layer again."""
    place = container.place(member)
    if place is not None:
        buffer, at = place
        if member is None or detect(buffer[at : at + min(member.size, 6)]) == "none":
            return partial(in_place, Place(index, buffer, at))
    return lambda rows: in_stream(tar_of(container.chunks(member), container.settings.limits), index, rows)
