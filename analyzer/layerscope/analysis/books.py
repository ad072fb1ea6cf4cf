"""Do the numbers add up, and to what?"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
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


@dataclass(frozen=True, slots=True)
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


@dataclass(frozen=True, slots=True)
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

    @property
    def efficiency(self) -> float:
        """Share of the content that a container can see; 1.0 when there is none."""
        return self.live_bytes / self.content_bytes if self.content_bytes else 1.0
