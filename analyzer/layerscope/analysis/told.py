"""What do the environment, the labels and the history tell that nobody should know?"""

from __future__ import annotations

from collections.abc import Iterator

from layerscope.analysis.exposure import Exposure
from layerscope.model import Image


def find_told(image: Image) -> Iterator[Exposure]:
    """Return what the texts of an image told before their secrets were masked, and its user."""
    for told in image.told:
        yield Exposure(told.rule, told.level, told.title, None, told.layer, "config", detail=told.where)
    if not image.config.user or image.config.user.partition(":")[0] in ("0", "root"):
        yield Exposure("root-user", "info", "the container runs as root", None, None, "config")
