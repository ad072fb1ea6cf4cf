"""What do headers, names and the config tell that a security review wants to see?"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from layerscope.analysis.accounts import find_accounts
from layerscope.analysis.credentials import find_credentials
from layerscope.analysis.exposure import Exposure, Ground, hold_back
from layerscope.analysis.marks import find_marks
from layerscope.analysis.modes import Since, find_modes
from layerscope.analysis.told import find_told
from layerscope.analysis.tools import find_tools
from layerscope.analysis.vendor import find_changed
from layerscope.model import Deviation, Image

__all__ = ["Exposure", "find_exposures"]


def find_exposures(image: Image, ground: Ground, deviations: Iterable[Deviation] = ()) -> tuple[Exposure, ...]:
    """Return what modes, names, accounts, the config, the marks of an inspection and the digests of packages tell."""
    return tuple(hold_back(_find(image, ground, deviations)))


def _find(image: Image, ground: Ground, deviations: Iterable[Deviation]) -> Iterator[Exposure]:
    yield from find_told(image)
    since = Since()
    for layer in image.layers:
        if layer.index is not None:
            yield from find_modes(layer.index, layer.position, ground, since)
            yield from find_credentials(layer.index, layer.position, ground)
            yield from find_marks(layer.index, layer.position, ground)
    yield from find_changed(image, ground, deviations)
    yield from find_accounts(image, ground)
    yield from find_tools(ground)
