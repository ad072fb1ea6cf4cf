"""Do the numbers add up, and to what?"""

from __future__ import annotations

from math import isqrt

from layerscope.columns import add_up
from layerscope.frozen import frozen
from layerscope.model import Fate, Image, Kind, Layer, LayerIndex, either
from layerscope.rootfs.stack import Stack

_HIDDEN = (Fate.REPLACED, Fate.DELETED)


@frozen
class EntryCounts:
    """Entries of a layer's tar; each is in exactly one of the six. Devices: block, character, FIFO."""

    files: int = 0
    directories: int = 0
    symlinks: int = 0
    hardlinks: int = 0
    devices: int = 0
    whiteouts: int = 0

    @property
    def total(self) -> int:
        """All entries."""
        return self.files + self.directories + self.symlinks + self.hardlinks + self.devices + self.whiteouts


@frozen
class LayerBooks:
    """The numbers of one layer row; None where its blob is not in the archive.

    A row that repeats an earlier one has 0 in every column but `docker_bytes`, so that rows sum to totals.
    """

    position: int
    blob_bytes: int | None
    pull_bytes: int | None
    tar_bytes: int | None
    content_bytes: int | None
    overhead_bytes: int | None
    compression_bytes: int | None
    live_bytes: int | None
    replaced_bytes: int | None
    deleted_bytes: int | None
    docker_bytes: int | None
    entries: EntryCounts | None
    pull_estimated: bool = False

    @property
    def hidden_bytes(self) -> int:
        """Content that a container cannot see."""
        return (self.replaced_bytes or 0) + (self.deleted_bytes or 0)


@frozen
class Books:
    """Sums over distinct blobs; `archive_bytes` and what it divides into are the image's `Storage`."""

    layers: tuple[LayerBooks, ...]
    tar_bytes: int
    content_bytes: int
    overhead_bytes: int
    compression_bytes: int
    live_bytes: int
    replaced_bytes: int
    deleted_bytes: int
    docker_bytes: int
    pull_bytes: int | None
    entries: int
    files: int
    pull_low: int | None = None
    pull_high: int | None = None

    @property
    def efficiency(self) -> float:
        """Share of the content that a container can see; 1.0 when there is none."""
        return self.live_bytes / self.content_bytes if self.content_bytes else 1.0


class Unbalanced(AssertionError):  # noqa: N818 - it names the state of the books
    """The numbers do not add up: a bug in layerscope, never the image's fault."""


def keep_books(image: Image, stack: Stack, fates: bytearray) -> Books:
    """Count every byte once and check the balance.

    `fates` are the stack's with repeated layers merged into the first. Raises `Unbalanced` if
    `archive = live + replaced + deleted + overhead - compression + metadata + orphans + container` does not hold.
    """
    rows = tuple(_layer(image, layer, stack, fates) for layer in image.layers)

    def total(name: str) -> int:
        return sum(getattr(row, name) or 0 for row in rows)

    low, high = _pull_range(image, rows)
    known = [row.pull_bytes for row, layer in zip(rows, image.layers, strict=True) if layer.present]
    books = Books(
        layers=rows,
        tar_bytes=total("tar_bytes"),
        content_bytes=total("content_bytes"),
        overhead_bytes=total("overhead_bytes"),
        compression_bytes=total("compression_bytes"),
        live_bytes=total("live_bytes"),
        replaced_bytes=total("replaced_bytes"),
        deleted_bytes=total("deleted_bytes"),
        docker_bytes=total("docker_bytes"),
        pull_bytes=None if None in known else total("pull_bytes"),
        pull_low=None if None in known else low,
        pull_high=None if None in known else high,
        entries=sum(row.entries.total for row in rows if row.entries is not None),
        files=sum(
            _live_files(layer.index, fates, start)
            for layer, start in zip(image.layers, stack.starts, strict=False)
            if layer.index is not None
        ),
    )
    check_balance(image, books)
    return books


def _pull_range(image: Image, rows: tuple[LayerBooks, ...]) -> tuple[int, int]:
    """Return between what the pull size lies: the errors of the layers are independent, so their squares add up."""
    total = sum(row.pull_bytes or 0 for row in rows)
    pulls = [layer.pull for layer in image.layers if layer.pull is not None and layer.index is not None]
    half = isqrt(sum((pull.high - pull.mid) ** 2 for pull in pulls))
    return max(0, total - half), total + half


def check_balance(image: Image, books: Books) -> None:
    """Raise `Unbalanced` if the books do not add up to the archive, or the rows not to the totals."""
    storage = image.storage
    archive = (
        books.live_bytes
        + books.replaced_bytes
        + books.deleted_bytes
        + books.overhead_bytes
        - books.compression_bytes
        + storage.metadata_bytes
        + storage.orphan_bytes
        + storage.container_bytes
    )
    blobs = sum(row.blob_bytes or 0 for row in books.layers)
    if archive != storage.archive_bytes or blobs != storage.blob_bytes:
        raise Unbalanced(
            f"the parts make {archive} bytes, the archive has {storage.archive_bytes}; "
            f"the layers store {blobs}, the image {storage.blob_bytes}"
        )


def _layer(image: Image, layer: Layer, stack: Stack, fates: bytearray) -> LayerBooks:
    position = layer.position
    index = image.index_of(position)
    if not layer.present or index is None:
        return LayerBooks(position, None, layer.descriptor_bytes, *(None,) * 9)
    start = stack.starts[position]
    sums = add_up(fates[start : start + len(index)], index.sizes, b"\1" * len(index))
    content, replaced, deleted = sum(size for _, size in sums.values()), *(sums.get(fate, (0, 0))[1] for fate in _HIDDEN)
    docker = content + _docker_extra(index, stack, position)
    if layer.index is None:
        return LayerBooks(position, 0, 0, 0, 0, 0, 0, 0, 0, 0, docker, EntryCounts())
    blob = layer.blob_bytes or 0
    return LayerBooks(
        position=position,
        blob_bytes=blob,
        pull_bytes=blob if layer.compression != "none" else layer.pull.mid if layer.pull else None,
        tar_bytes=index.tar_bytes,
        content_bytes=content,
        overhead_bytes=index.tar_bytes - content,
        compression_bytes=index.tar_bytes - blob,
        live_bytes=content - replaced - deleted,
        replaced_bytes=replaced,
        deleted_bytes=deleted,
        docker_bytes=docker,
        entries=_count(index),
        pull_estimated=layer.pull is not None,
    )


def _live_files(index: LayerIndex, fates: bytearray, start: int) -> int:
    """Count live regular files: those rows where kind and fate are both 0."""
    return either(index.kinds, fates[start : start + len(index)]).count(0)


def _docker_extra(index: LayerIndex, stack: Stack, position: int) -> int:
    """Return what `docker history` shows beside content under overlay2: symlinks by their length, less what is gone (F01)."""
    total = sum(len(link) for row, link in index.links.items() if index.kinds[row] == Kind.SYMLINK)
    if not stack.took_own(position):
        return total
    for row, end in enumerate(stack.ended[stack.starts[position] : stack.starts[position + 1]]):
        if end == position:
            total -= len(index.links[row]) if index.kinds[row] == Kind.SYMLINK else index.sizes[row]
    return total


def _count(index: LayerIndex) -> EntryCounts:
    count = index.kinds.count
    return EntryCounts(
        files=count(Kind.FILE),
        directories=count(Kind.DIRECTORY),
        symlinks=count(Kind.SYMLINK),
        hardlinks=count(Kind.HARDLINK),
        devices=count(Kind.CHARACTER) + count(Kind.BLOCK) + count(Kind.FIFO),
        whiteouts=count(Kind.WHITEOUT) + count(Kind.OPAQUE),
    )
