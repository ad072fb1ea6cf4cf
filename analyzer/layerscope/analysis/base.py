"""How many layers belong to the base image, and how is that known?"""

from __future__ import annotations

from itertools import takewhile
from typing import TYPE_CHECKING

from layerscope.frozen import frozen
from layerscope.model import Image, Layer
from layerscope.regex import regex

if TYPE_CHECKING:
    from layerscope.analysis.placement import Placement

NAMED = "org.opencontainers.image.base."
BARE = regex(
    r"ADD (?:file|multi|dir):[0-9a-f]+ in /|ADD \S*(?:rootfs|root\.tar|-root|minirootfs)\S* /"
    r"|debian\.sh\b|(?:RUN )?debootstrap\b|ADD \S+\.tar(?:\.\w+)? / *$|root file system$"
)


@frozen
class Base:
    """The image that this one was built on, as far as anything tells.

    layers  how many, from the bottom, are surely its; None if nothing tells
    how     what told of it: "told" (the user), "image" (shared with a given one), "dockerfile", "annotation", "label" or
            "history"
    rows    how many rows of the history, from its first, are surely its; those of its layers are as well
    """

    name: str | None = None
    digest: str | None = None
    layers: int | None = None
    how: str | None = None
    rows: int = 0


NO_BASE = Base()


def find_base(image: Image, told: int | None = None, given: Image | None = None, placement: Placement | None = None) -> Base:
    """Return what is known of the base image.

    `told` is a number of layers that the user names; `given` an image whose layers this one may begin with; `placement` where
    a Dockerfile made the layers: what it did not make is the base's, and its FROM names it. Names and digests
    are what the image claims, or a given image's that it holds whole. Without more, a first layer that unpacks a whole root
    file system is the base's; which of those above it are too, history does not tell.
    """
    name, digest, how = None, None, None
    for source, labels in (("annotation", image.config.annotations), ("label", image.config.labels)):
        if f"{NAMED}name" in labels or f"{NAMED}digest" in labels:
            name, digest, how = labels.get(f"{NAMED}name"), labels.get(f"{NAMED}digest"), source
            break
    if told is not None:
        return Base(name, digest, min(told, len(image.layers)), "told")
    if given is not None:
        shared = count_shared(given, image)
        if shared == len(given.layers):
            name, digest = given.names[0] if given.names else name, given.manifest_digest or digest
        return Base(name, digest, shared, "image", _count_rows(given, image) if shared else 0)
    if placement is not None and placement.below is not None:
        return Base(name or placement.image, digest, placement.below[0], "dockerfile", placement.below[1])
    if placement is not None:
        name = name or placement.image
    if len(image.layers) > 1 and image.layout != "rootfs" and BARE.match(image.layers[0].instruction):
        return Base(name, digest, 1, how or "history", _count_bare(image))
    return Base(name, digest, None, how)


def count_shared(base: Image, image: Image) -> int:
    """Return how many layers both begin with."""
    count = 0
    for one, other in zip(base.layers, image.layers, strict=False):
        key = _key(one)
        if key is None or key != _key(other):
            break
        count += 1
    return count


def _count_bare(image: Image) -> int:
    """Return how many rows tell of a root file system: up to its layer, and the command that comes right behind it."""
    made = next((index for index, row in enumerate(image.history, 1) if row.layer == 0), 0)
    behind = image.history[made : made + 1]
    return made + sum(row.empty and row.instruction.startswith("CMD ") for row in behind)


def _count_rows(base: Image, image: Image) -> int:
    """Return how many rows of the history both begin with."""
    pairs = zip(base.history, image.history, strict=False)
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))


def _key(layer: Layer) -> str | None:
    return layer.diff_id or layer.digest
