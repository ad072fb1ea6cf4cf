"""How many layers belong to the base image?"""

from __future__ import annotations

import re

from layerscope.model import Image

BARE = re.compile(
    r"ADD (?:file|multi|dir):[0-9a-f]+ in /|ADD \S*(?:rootfs|root\.tar|-root|minirootfs)\S* /"
    r"|debian\.sh\b|(?:RUN )?debootstrap\b|ADD \S+\.tar(?:\.\w+)? / *$|root file system$"
)


def count_base(image: Image) -> int:
    """Return how many layers, from the bottom, are surely the base image's.

    A first layer that unpacks a whole root file system is one; which of those above it belong to the base, history does not
    tell.
    """
    if not image.layers or image.layout == "rootfs":
        return 0
    return 1 if len(image.layers) > 1 and BARE.match(image.layers[0].instruction) else 0
