"""What is in this image, what makes it fat, what do I do about it?"""

from __future__ import annotations

from array import array
from dataclasses import replace
from typing import TYPE_CHECKING

from layerscope.analysis.base import find_base
from layerscope.analysis.books import keep_books
from layerscope.analysis.copies import find_copies
from layerscope.analysis.demand import find_demand
from layerscope.analysis.dive import count_as_dive
from layerscope.analysis.duplicates import find_duplicates
from layerscope.analysis.emptied import add_folders
from layerscope.analysis.exposure import Ground
from layerscope.analysis.exposures import find_exposures
from layerscope.analysis.leftovers import find_leftovers
from layerscope.analysis.scene import Scene
from layerscope.analysis.unstripped import find_unstripped
from layerscope.analysis.waste import find_waste
from layerscope.model import Image, Lap, untimed
from layerscope.packages.ownership import own
from layerscope.packages.requirements import edges
from layerscope.packages.shares import Ownership
from layerscope.packages.verification import verify
from layerscope.report import Report
from layerscope.rootfs.stack import Stack, merge_repeats
from layerscope.rootfs.stacker import stack

if TYPE_CHECKING:
    from layerscope.analysis.dockerfile import Source


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
