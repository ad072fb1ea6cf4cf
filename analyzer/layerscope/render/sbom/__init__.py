"""Which bill of materials is written in which format? The libraries of the extra `sbom` write them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from importlib import import_module
from typing import cast

from layerscope.errors import ExtraMissingError
from layerscope.model import Image
from layerscope.packages.shares import Ownership

SBOM_FORMATS = ("cyclonedx", "spdx")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

Write = Callable[[Image, Ownership, datetime], str]


def write_sbom(image: Image, ownership: Ownership, name: str, moment: datetime | None = None) -> str:
    """Return the packages that a container sees as CycloneDX 1.6 or SPDX 2.3, both JSON.

    The document depends on the image alone: its date is the image's, unless `moment` is another.
    """
    try:
        write = cast("Write", import_module(f"{__name__}.{name}").write)
    except ModuleNotFoundError as error:
        raise ExtraMissingError(
            f"a bill of materials needs more: pip install 'layerscope[sbom]' ({error.name} is missing)"
        ) from error
    return write(image, ownership, moment or _created(image))


def _created(image: Image) -> datetime:
    """Return when the image was made, as far as it tells."""
    try:
        told = datetime.fromisoformat(image.config.created or "")
    except ValueError:
        return _EPOCH
    moment = told if told.tzinfo else told.replace(tzinfo=UTC)
    try:
        return moment.astimezone(UTC).replace(microsecond=0)
    except OverflowError:
        return _EPOCH
