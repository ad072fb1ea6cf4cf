"""What is in this image, what makes it fat, what do I do about it?"""

from __future__ import annotations

from array import array
from dataclasses import replace
from typing import TYPE_CHECKING

from layerscope.analysis.base import NO_BASE, Base, find_base
from layerscope.analysis.books import Books, keep_books
from layerscope.analysis.causes import Cause, Certainty
from layerscope.analysis.copies import find_copies
from layerscope.analysis.demand import find_demand
from layerscope.analysis.dive import Dive, count_as_dive
from layerscope.analysis.duplicates import Duplicates, find_duplicates
from layerscope.analysis.emptied import add_folders
from layerscope.analysis.exposure import Ground
from layerscope.analysis.exposures import Exposure, find_exposures
from layerscope.analysis.held import Held
from layerscope.analysis.leftovers import find_leftovers
from layerscope.analysis.marks import SECRETS
from layerscope.analysis.scene import Scene
from layerscope.analysis.unstripped import find_unstripped
from layerscope.analysis.waste import find_waste
from layerscope.frozen import frozen
from layerscope.model import Image, Lap, Note, Release, untimed
from layerscope.packages.ownership import Ownership, own
from layerscope.packages.requirements import edges
from layerscope.packages.verification import Verification, verify
from layerscope.rootfs import Stack, merge_repeats, stack

if TYPE_CHECKING:
    from layerscope.analysis.dockerfile import Source
    from layerscope.analysis.placement import Placement

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


def stack_image(image: Image) -> Stack:
    """Stack the layers of an image."""
    return stack([image.index_of(layer.position) for layer in image.layers])


def analyze(
    image: Image,
    *,
    base_layers: int | None = None,
    base: Image | None = None,
    dockerfile: Source | None = None,
    lap: Lap = untimed,
) -> Report:
    """Ask every question of an image once; `base_layers` or an image that it was built on tell what is the base's.

    `dockerfile` is what the image was built from. `lap` is told of each stage that is over. Raises `DockerfileError` for a
    file that is too large.
    """
    placement = None
    if dockerfile is not None:
        from layerscope.analysis.placement import place_layers
        from layerscope.secrets.masks import mask

        # The image's texts are masked: those that are compared with them have to be, too.
        placement = place_layers(image, replace(dockerfile, text=mask(dockerfile.text)))
        lap("lines of the Dockerfile")
    indexes = [image.index_of(layer.position) for layer in image.layers]
    same_as = [layer.same_as for layer in image.layers]
    stacked = stack(indexes)
    fates, ended = merge_repeats(stacked, same_as)
    lap("stacking")
    books = keep_books(image, stacked, fates)
    lap("books")
    ownership = own_image(image, stacked)
    lap("packages and owners")
    managed = any(share.package.system for share in ownership.packages)
    duplicates = find_duplicates(image, fates)
    lap("duplicates")

    def owner(row: int) -> str | None:
        package = ownership.owner_of(row)
        return None if package is None else f"{package.type}:{package.name}"

    found = find_base(image, base_layers, base, placement)
    scene = _scene(image, stacked, fates, ended, ownership, found.layers or 0)
    # In this order a byte that two causes could claim goes to the earlier: hidden ones first, then leftovers, then copies.
    lap("base and demand")
    causes = find_waste(scene)
    lap("hidden bytes")
    leftovers, claimed = find_leftovers(scene)
    causes += leftovers
    lap("leftovers")
    unstripped, parts = find_unstripped(scene, claimed)
    causes += unstripped + find_copies(scene, duplicates, claimed, parts)
    causes = [replace(cause, in_base=scene.in_base(cause.layer)) for cause in add_folders(scene, causes)]
    lap("copies")
    verification = verify(indexes, same_as, stacked) if "sums" in image.inspected else None
    lap("digests of packages")
    vendor, deviations = (None, ()) if verification is None else (verification.vendor, verification.deviations)
    exposures = find_exposures(image, Ground(stacked, fates, ended, owner, managed, vendor), deviations)
    lap("exposures")
    dive = count_as_dive(indexes, stacked)
    lap("dive's numbers")
    return Report(
        image=image,
        release=ownership.release,
        books=books,
        dive=dive,
        ownership=ownership,
        duplicates=duplicates,
        causes=tuple(sorted(causes, key=lambda cause: (-cause.bytes, cause.layer, cause.id, cause.title))),
        exposures=exposures,
        notes=(*image.notes, *stacked.notes, *ownership.notes),
        base=found,
        placement=placement,
        verification=verification,
    )


def _scene(image: Image, stacked: Stack, fates: bytearray, ended: array[int], ownership: Ownership, base: int) -> Scene:
    """Return what the searches for causes look at."""
    packages = {
        number: share.package
        for number, share in enumerate(ownership.packages)
        if share.removed_in is None and not share.parent
    }
    demand = find_demand(image, stacked, ownership.column, packages, edges(packages))
    return Scene(image, stacked, fates, ended, packages, ownership.column, demand, base=base)


def own_image(image: Image, stacked: Stack) -> Ownership:
    """Return whose each byte of an image is."""
    indexes = [image.index_of(layer.position) for layer in image.layers]
    return own(indexes, [layer.same_as for layer in image.layers], stacked, workdir=image.config.workdir)


def name_owner(ownership: Ownership, row: int) -> str | None:
    """Return who owns a row of the stack: a package's name, else the class of the file."""
    package = ownership.owner_of(row)
    return package.name if package is not None else ownership.class_of(row)
