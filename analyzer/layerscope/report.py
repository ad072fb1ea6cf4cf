"""What was found in an image?"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from layerscope.analysis.base import NO_BASE, Base
from layerscope.analysis.causes import Certainty
from layerscope.frozen import frozen
from layerscope.model import SECRETS

if TYPE_CHECKING:
    from layerscope.analysis.books import Books
    from layerscope.analysis.causes import Cause
    from layerscope.analysis.dive import Dive
    from layerscope.analysis.duplicates import Duplicates
    from layerscope.analysis.exposure import Exposure
    from layerscope.analysis.held import Held
    from layerscope.analysis.placement import Placement
    from layerscope.model import Image, Note, Release
    from layerscope.packages.shares import Ownership
    from layerscope.packages.verification import Verification

SIZES = (
    "archive_bytes",
    "file_bytes",
    "blob_bytes",
    "metadata_bytes",
    "orphan_bytes",
    "container_bytes",
    "tar_bytes",
    "content_bytes",
    "overhead_bytes",
    "compression_bytes",
    "live_bytes",
    "replaced_bytes",
    "deleted_bytes",
    "duplicate_bytes",
    "reclaimable_bytes",
    "reclaimable_fact_bytes",
    "reclaimable_likely_bytes",
    "reclaimable_possible_bytes",
    "pull_bytes",
    "pull_low_bytes",
    "pull_high_bytes",
    "docker_bytes",
)
COUNTS = ("layers", "entries", "files", "packages")


@frozen
class BaseShare:
    """What of the image is the base image's: its lowest layers.

    layers   how many
    content_bytes, pull_bytes  what they hold, and what a registry sends for them; None if unknown
    causes, exposures          what was found in them
    """

    layers: int
    content_bytes: int
    pull_bytes: int | None
    causes: tuple[Cause, ...]
    exposures: tuple[Exposure, ...]

    @property
    def reclaimable_bytes(self) -> int:
        """What need not be there."""
        return sum(cause.bytes for cause in self.causes)


@frozen
class Report:
    """Every question asked once; facts, no opinions.

    aside         what was left out because it lies in the base image; None if nothing was to be
    verification  None if no digests of files were taken
    """

    image: Image
    release: Release | None
    books: Books
    dive: Dive
    ownership: Ownership
    duplicates: Duplicates
    causes: tuple[Cause, ...]
    exposures: tuple[Exposure, ...]
    notes: tuple[Note, ...]
    base: Base = NO_BASE
    placement: Placement | None = None
    held: Held | None = None
    verification: Verification | None = None
    aside: BaseShare | None = None

    @property
    def complete(self) -> bool:
        """Whether everything that the image promises could be read; false exactly when the exit code is 3."""
        return self.image.complete

    @property
    def secrets_scanned(self) -> bool:
        """Whether the contents of files were searched for secrets."""
        return SECRETS in self.image.inspected

    @property
    def duplicate_bytes(self) -> int:
        """For each set of equal live files, all copies but one."""
        return self.duplicates.wasted_bytes

    def base_share(self) -> BaseShare | None:
        """Return what is the base image's, None if nothing tells which layers are."""
        if self.aside is not None or not self.base.layers:
            return self.aside
        rows = self.books.layers[: self.base.layers]
        pulls = [row.pull_bytes for row, layer in zip(rows, self.image.layers, strict=False) if layer.same_as is None]
        return BaseShare(
            layers=self.base.layers,
            content_bytes=sum(row.content_bytes or 0 for row in rows),
            pull_bytes=None if None in pulls else sum(pull or 0 for pull in pulls),
            causes=tuple(cause for cause in self.causes if cause.in_base),
            exposures=tuple(one for one in self.exposures if one.layer is not None and one.layer < self.base.layers),
        )

    def without_base(self) -> Report:
        """Return the report without the causes and exposures that lie in the base image."""
        share = self.base_share()
        if share is None:
            return self
        there = {id(one) for one in share.exposures}
        return replace(
            self,
            causes=tuple(cause for cause in self.causes if not cause.in_base),
            exposures=tuple(one for one in self.exposures if id(one) not in there),
            aside=share,
        )

    def reclaimable_bytes(self, certainty: Certainty | None = None) -> int:
        """Sum of all causes, or of those of one certainty."""
        return sum(cause.bytes for cause in self.causes if certainty in (None, cause.certainty))

    def totals(self) -> dict[str, int | None]:
        """Return every number of the image by its name: `SIZES`, then `COUNTS`."""
        books, storage = self.books, self.image.storage
        return {
            "archive_bytes": storage.archive_bytes,
            "file_bytes": storage.file_bytes,
            "blob_bytes": storage.blob_bytes,
            "metadata_bytes": storage.metadata_bytes,
            "orphan_bytes": storage.orphan_bytes,
            "container_bytes": storage.container_bytes,
            "tar_bytes": books.tar_bytes,
            "content_bytes": books.content_bytes,
            "overhead_bytes": books.overhead_bytes,
            "compression_bytes": books.compression_bytes,
            "live_bytes": books.live_bytes,
            "replaced_bytes": books.replaced_bytes,
            "deleted_bytes": books.deleted_bytes,
            "duplicate_bytes": self.duplicate_bytes,
            "reclaimable_bytes": self.reclaimable_bytes(),
            "reclaimable_fact_bytes": self.reclaimable_bytes(Certainty.FACT),
            "reclaimable_likely_bytes": self.reclaimable_bytes(Certainty.LIKELY),
            "reclaimable_possible_bytes": self.reclaimable_bytes(Certainty.POSSIBLE),
            "pull_bytes": books.pull_bytes,
            "pull_low_bytes": books.pull_low,
            "pull_high_bytes": books.pull_high,
            "docker_bytes": books.docker_bytes,
            "layers": len(self.image.layers),
            "entries": books.entries,
            "files": books.files,
            "packages": sum(share.removed_in is None for share in self.ownership.packages),
        }
